# Compiles SOURCE, a kernel file, to PTX for compute capability 7.5, at OUTPUT; INCLUDE is the folder
# kernels/.
#
# nvcc writes its own PTX version into the file, which older drivers refuse although nothing in it is
# new: it is lowered to the lowest that ptxas accepts, 7.0 at most (drivers from 450 on).
#
# Masks and sums must have the same bits on every device, so products and sums are never fused
# (-fmad=false) unless the source says fmaf: a fused multiply-add elsewhere fails the build.
get_filename_component(name ${SOURCE} NAME)
get_filename_component(image ${OUTPUT} DIRECTORY)
file(MAKE_DIRECTORY ${image})
# Presets may be built at once and share the outputs: each writes its own file and renames it.
string(RANDOM LENGTH 12 unique)
set(draft ${OUTPUT}.${unique})

execute_process(
  COMMAND ${NVCC} -std=c++17 -fmad=false -ftz=false -prec-div=true -prec-sqrt=true
          -Werror all-warnings -I ${INCLUDE} -arch=compute_75 -ptx -o ${draft} ${SOURCE}
  RESULT_VARIABLE status ERROR_VARIABLE log OUTPUT_VARIABLE log)
if(NOT status EQUAL 0)
  file(REMOVE ${draft})
  message(FATAL_ERROR "nvcc cannot compile ${name}:\n${log}")
endif()

file(READ ${draft} ptx)
file(READ ${SOURCE} source)
string(REGEX MATCH "[^a-z]fma\\.[a-z0-9.]+" fused "${ptx}")
string(STRIP "${fused}" fused)
if(fused AND NOT source MATCHES "fmaf? *\\(")
  file(REMOVE ${draft})
  message(FATAL_ERROR "${name} holds ${fused}, a fused multiply-add that its source does "
                      "not ask for: other devices would not return the same bits.")
endif()

set(accepted "")
foreach(version 6.3 6.4 6.5 7.0)
  string(REGEX REPLACE "\n\\.version [0-9.]+" "\n.version ${version}" lowered "${ptx}")
  file(WRITE ${draft} "${lowered}")
  set(accepted ${version})
  foreach(architecture 75 90)
    execute_process(COMMAND ${PTXAS} -arch=sm_${architecture} -o ${draft}.cubin ${draft}
                    RESULT_VARIABLE status ERROR_VARIABLE log OUTPUT_VARIABLE log)
    if(NOT status EQUAL 0)
      set(accepted "")
      break()
    endif()
  endforeach()
  if(accepted)
    break()
  endif()
endforeach()
file(REMOVE ${draft}.cubin)
if(NOT accepted)
  file(REMOVE ${draft})
  message(FATAL_ERROR "ptxas accepts ${name} in no PTX version up to 7.0, so older drivers could "
                      "not load it:\n${log}")
endif()
file(RENAME ${draft} ${OUTPUT})
