# secateur_sim_library(NAME): the shared object lib<NAME>.so.12 beside the simulated libcuda.so.1, from
# the sources of the folder and what both libraries share, with the real one's symbol version; and the
# tests that hold it to the real one, its names (exports.txt) and its statuses (statuses.txt), and to
# loops of double (test/).
function(secateur_sim_library name)
  set(target secateur_lib${name})
  set(shared ${CMAKE_SOURCE_DIR}/native/sim/library)
  set(map ${CMAKE_CURRENT_SOURCE_DIR}/lib${name}.map)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(APPEND sources ${shared}/driver_calls.cpp ${shared}/work.cpp)
  add_library(${target} SHARED ${sources})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/native)
  target_link_libraries(${target} PRIVATE Threads::Threads secateur_libcuda)
  # Stays mapped: work that waits in a queue points into it.
  target_link_options(${target} PRIVATE -Wl,-z,nodelete -Wl,-soname,lib${name}.so.12
                      -Wl,--version-script=${map})
  # No path to libcuda.so.1: which simulator it is, checked or not, the library path decides.
  add_dependencies(sim ${target})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} SUFFIX .so.12 NO_SONAME TRUE
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/sim SKIP_BUILD_RPATH TRUE
                        LINK_DEPENDS ${map})
  if(NOT SECATEUR_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc -Wl,--exclude-libs,ALL)
  endif()

  add_test(NAME sim_${name}_exports
           COMMAND ${shared}/check_exports.sh ${CMAKE_NM} $<TARGET_FILE:${target}>
                   ${CMAKE_CURRENT_SOURCE_DIR}/exports.txt)
  add_test(NAME sim_${name}_statuses
           COMMAND status_table $<TARGET_FILE:${target}> ${CMAKE_CURRENT_SOURCE_DIR}/statuses.txt)
  set_tests_properties(sim_${name}_statuses PROPERTIES TIMEOUT 120
                       ENVIRONMENT LD_LIBRARY_PATH=${CMAKE_BINARY_DIR}/sim)

  add_executable(test_sim_${name} ${shared}/test/test_${name}.cpp)
  target_include_directories(test_sim_${name} PRIVATE ${CMAKE_SOURCE_DIR}/native/test
                             ${CMAKE_SOURCE_DIR}/native ${CMAKE_SOURCE_DIR}/native/include)
  target_link_libraries(test_sim_${name} PRIVATE ${target} secateur_libcuda)
  set_target_properties(test_sim_${name} PROPERTIES SKIP_BUILD_RPATH TRUE)
  # 8.0 has TF32, which 7.5 has not.
  set(environment SECATEUR_SIM_CAPABILITY=8.0)
  set(folder ${CMAKE_BINARY_DIR}/sim)
  add_test(NAME sim_${name} COMMAND test_sim_${name})
  add_test(NAME sim_${name}_seeded COMMAND test_sim_${name})
  add_test(NAME sim_${name}_checked COMMAND test_sim_${name})
  set_tests_properties(sim_${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "${environment};LD_LIBRARY_PATH=${folder}")
  set_tests_properties(sim_${name}_seeded PROPERTIES TIMEOUT 300
    ENVIRONMENT "${environment};LD_LIBRARY_PATH=${folder};SECATEUR_SIM_SEED=1")
  set_tests_properties(sim_${name}_checked PROPERTIES TIMEOUT 300
    ENVIRONMENT "${environment};LD_LIBRARY_PATH=${folder}/checked:${folder}")
endfunction()

if(NOT TARGET status_table)
  add_executable(status_table ${CMAKE_SOURCE_DIR}/native/sim/library/status_table.cpp)
  target_link_libraries(status_table PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(status_table PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endif()
