# The checks of the kernel image find what they are there for: each wrong kernel in this folder is
# refused with the words beside it, and the right one passes.
#
#   cmake -D NVCC=... -D PTXAS=... -D FOLDER=... -P test.cmake
set(scripts ${CMAKE_CURRENT_LIST_DIR}/..)

# Compiles and assembles a file of this folder; sets `log`, empty when all went well.
function(build name)
  set(ptx ${FOLDER}/${name}.ptx)
  file(REMOVE ${ptx} ${FOLDER}/${name}.cubin)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -D NVCC=${NVCC} -D PTXAS=${PTXAS} -D OUTPUT=${ptx}
            -D SOURCE=${CMAKE_CURRENT_LIST_DIR}/${name}.cu
            -D INCLUDE=${scripts}/../../../kernels -P ${scripts}/ptx.cmake
    RESULT_VARIABLE status ERROR_VARIABLE said)
  if(status EQUAL 0)
    execute_process(
      COMMAND ${CMAKE_COMMAND} -D PTXAS=${PTXAS} -D PTX=${ptx} -D ARCHITECTURE=75
              -D OUTPUT=${FOLDER}/${name}.cubin -D LOCAL_MEMORY_ALLOWED=^$
              -P ${scripts}/cubin.cmake
      RESULT_VARIABLE status ERROR_VARIABLE said)
  endif()
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  if(status EQUAL 0)
    set(said "")
  endif()
  set(log "${said}" PARENT_SCOPE)
endfunction()

build(good)
if(NOT log STREQUAL "" OR NOT EXISTS ${FOLDER}/good.cubin)
  message(FATAL_ERROR "good.cu was refused: ${log}")
endif()
file(STRINGS ${FOLDER}/good.ptx version REGEX "^\\.version ")
if(NOT version MATCHES "^\\.version (6\\.[3-5]|7\\.0)$")
  message(FATAL_ERROR "The PTX version was not lowered: ${version}")
endif()

set(expected_fused "holds fma.rn.f32")
set(expected_local "use local memory on sm_75: local: 128 bytes stack frame")
set(expected_recent "no PTX version up to 7.0")
foreach(name fused local recent)
  build(${name})
  if(NOT log MATCHES "${expected_${name}}")
    message(FATAL_ERROR "${name}.cu was not refused as it should be: ${log}")
  endif()
  if(EXISTS ${FOLDER}/${name}.cubin)
    message(FATAL_ERROR "${name}.cu was refused, but its cubin is there")
  endif()
endforeach()
