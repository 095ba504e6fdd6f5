# Assembles PTX for sm_ARCHITECTURE, at OUTPUT, and reads what ptxas says of each kernel: registers
# that spill and arrays that live in local memory fail the build, but for the kernels that match
# LOCAL_MEMORY_ALLOWED.
get_filename_component(name ${PTX} NAME_WE)
string(RANDOM LENGTH 12 unique)
set(draft ${OUTPUT}.${unique})

execute_process(COMMAND ${PTXAS} -v -arch=sm_${ARCHITECTURE} -o ${draft} ${PTX}
                RESULT_VARIABLE status ERROR_VARIABLE log OUTPUT_VARIABLE log)
if(NOT status EQUAL 0)
  file(REMOVE ${draft})
  message(FATAL_ERROR "ptxas cannot assemble ${name} for sm_${ARCHITECTURE}:\n${log}")
endif()

# One "Function properties for NAME" a kernel, and its figures on the next line.
string(REGEX MATCHALL "Function properties for [^\n]+\n[^\n]+" functions "${log}")
if(NOT functions)
  file(REMOVE ${draft})
  message(FATAL_ERROR "ptxas -v names no kernel of ${name}:\n${log}")
endif()
set(wrong "")
foreach(function ${functions})
  string(REGEX MATCH "for ([^\n]+)\n *(.*)" ignored "${function}")
  set(kernel "${CMAKE_MATCH_1}")
  set(figures "${CMAKE_MATCH_2}")
  if(NOT figures STREQUAL "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"
     AND NOT kernel MATCHES "${LOCAL_MEMORY_ALLOWED}")
    string(APPEND wrong "\n  ${kernel}: ${figures}")
  endif()
endforeach()
if(wrong)
  file(REMOVE ${draft})
  message(FATAL_ERROR "Kernels of ${name}.cu use local memory on sm_${ARCHITECTURE}:${wrong}")
endif()
file(RENAME ${draft} ${OUTPUT})
