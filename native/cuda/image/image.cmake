# The kernel image: every kernels/*.cu compiled once to PTX for compute capability 7.5, and that PTX
# assembled for every GPU architecture. Drivers from 525 on and GPUs not yet made take the PTX; since
# the kernels use nothing newer, all GPUs run what was tested as PTX.
#
#   ptx.cmake    one .cu as PTX; fails on fused multiply-adds that the source does not ask for
#   cubin.cmake  one PTX for one architecture; fails on register spills and local memory
#
# image_entries.cpp, generated here, embeds the files and lists them; image.cpp loads them. The files
# are the same for all presets: build/image. Without nvcc the list is empty, which the CUDA device
# says when it is opened.
#
# Sets IMAGE_ENTRIES to the generated source.
find_program(SECATEUR_NVCC nvcc PATHS /usr/local/cuda/bin DOC "CUDA compiler, for real GPUs")
find_program(SECATEUR_PTXAS ptxas PATHS /usr/local/cuda/bin DOC "CUDA assembler, for real GPUs")

# Kernels that may use local memory, as a regular expression; a reason for each.
set(LOCAL_MEMORY_ALLOWED "^$")

set(IMAGE_DIR ${PROJECT_SOURCE_DIR}/build/image)
set(IMAGE_ENTRIES ${CMAKE_CURRENT_BINARY_DIR}/image_entries.cpp)

# Headers that a file includes from kernels/, and those that they include.
function(kernel_headers result file)
  file(STRINGS ${file} lines REGEX "^#include \"")
  foreach(line ${lines})
    string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" header "${line}")
    set(header ${PROJECT_SOURCE_DIR}/kernels/${header})
    if(EXISTS ${header} AND NOT header IN_LIST ${result})
      list(APPEND ${result} ${header})
      kernel_headers(${result} ${header})
    endif()
  endforeach()
  set(${result} ${${result}} PARENT_SCOPE)
endfunction()

set(blobs "")    # assembly that embeds a file, one for each
set(symbols "")  # its declaration in C++
set(rows "")     # its entry
set(files "")

# Appends an entry for a file of a topic (the name of its .cu): kind is kCubin or kPtx.
macro(add_entry file topic kind architecture)
  list(LENGTH files number)
  list(APPEND files ${file})
  # A text ends with a zero byte for the driver.
  string(APPEND blobs "asm(\".balign 64\\nsecateur_image_${number}: .incbin \\\"${file}\\\"\\n\"\n"
                      "    \"secateur_image_end_${number}: .byte 0\");\n")
  string(APPEND symbols "extern const unsigned char secateur_image_${number}[];\n"
                        "extern const unsigned char secateur_image_end_${number}[];\n")
  string(APPEND rows "    {\"${topic}\", Entry::${kind}, ${architecture}, secateur_image_${number},\n"
                     "     secateur_image_end_${number}},\n")
endmacro()

if(SECATEUR_NVCC AND SECATEUR_PTXAS)
  if(NOT DEFINED SECATEUR_GPU_ARCHITECTURES)
    execute_process(COMMAND ${SECATEUR_NVCC} --list-gpu-code OUTPUT_VARIABLE known
                    COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9]+" known "${known}")
    set(architectures 75 80 86 89 90 100 120)
    foreach(architecture ${architectures})
      if(NOT architecture IN_LIST known)
        list(REMOVE_ITEM architectures ${architecture})
      endif()
    endforeach()
    set(SECATEUR_GPU_ARCHITECTURES "${architectures}" CACHE STRING
        "Compute capabilities to assemble kernels for")
    message(STATUS "GPU code for compute capabilities ${architectures}, by ${SECATEUR_NVCC}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)
  foreach(source ${sources})
    get_filename_component(topic ${source} NAME_WE)
    set(headers "")
    kernel_headers(headers ${source})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source} ${headers})
    set(ptx ${IMAGE_DIR}/${topic}.ptx)
    add_custom_command(
      OUTPUT ${ptx}
      COMMAND ${CMAKE_COMMAND} -D NVCC=${SECATEUR_NVCC} -D PTXAS=${SECATEUR_PTXAS}
              -D SOURCE=${source} -D INCLUDE=${PROJECT_SOURCE_DIR}/kernels -D OUTPUT=${ptx}
              -P ${CMAKE_CURRENT_LIST_DIR}/ptx.cmake
      DEPENDS ${source} ${headers} ${CMAKE_CURRENT_LIST_DIR}/ptx.cmake
      COMMENT "Compiling kernels/${topic}.cu for GPUs"
      VERBATIM)
    foreach(architecture ${SECATEUR_GPU_ARCHITECTURES})
      set(cubin ${IMAGE_DIR}/${topic}.sm_${architecture}.cubin)
      add_custom_command(
        OUTPUT ${cubin}
        COMMAND ${CMAKE_COMMAND} -D PTXAS=${SECATEUR_PTXAS} -D PTX=${ptx}
                -D ARCHITECTURE=${architecture} -D OUTPUT=${cubin}
                -D LOCAL_MEMORY_ALLOWED=${LOCAL_MEMORY_ALLOWED}
                -P ${CMAKE_CURRENT_LIST_DIR}/cubin.cmake
        DEPENDS ${ptx} ${CMAKE_CURRENT_LIST_DIR}/cubin.cmake
        COMMENT "Assembling kernels/${topic}.cu for sm_${architecture}"
        VERBATIM)
      add_entry(${cubin} ${topic} kCubin ${architecture})
    endforeach()
    add_entry(${ptx} ${topic} kPtx 75)
  endforeach()
  if(NOT SECATEUR_SANITIZE)
    add_test(NAME test_image
             COMMAND ${CMAKE_COMMAND} -D NVCC=${SECATEUR_NVCC} -D PTXAS=${SECATEUR_PTXAS}
                     -D FOLDER=${CMAKE_CURRENT_BINARY_DIR}/image_test
                     -P ${CMAKE_CURRENT_LIST_DIR}/test/test.cmake)
  endif()
elseif(NOT SECATEUR_NVCC_MISSED)
  message(STATUS "nvcc not found: building without GPU code; the CUDA device will say so")
  set(SECATEUR_NVCC_MISSED ON CACHE INTERNAL "The line above was shown")
endif()

list(LENGTH files count)
configure_file(${CMAKE_CURRENT_LIST_DIR}/image_entries.cpp.in ${IMAGE_ENTRIES} @ONLY)
set_source_files_properties(${IMAGE_ENTRIES} PROPERTIES OBJECT_DEPENDS "${files}")
