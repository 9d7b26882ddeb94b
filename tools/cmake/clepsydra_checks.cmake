# Checks of the source tree itself: quick ones as tests, compiling each header alone as a target.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)

function(clepsydra_check name)
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS check)
endfunction()

set(tools ${PROJECT_SOURCE_DIR}/tools)
clepsydra_check(check_layers ${Python3_EXECUTABLE} ${tools}/check_layers)
clepsydra_check(check_docs ${Python3_EXECUTABLE} ${tools}/check_docs)
clepsydra_check(check_system_calls ${Python3_EXECUTABLE} ${tools}/check_system_calls ${PROJECT_BINARY_DIR})
clepsydra_check(check_format ${tools}/format --check)
clepsydra_check(checks_test ${Python3_EXECUTABLE} ${tools}/checks_test.py)

# ninja check_headers: every header compiles alone, twice, and without the precompiled header. Not a test,
# because the first run compiles as many files as there are headers: `make headers`, by hand.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     include/*.h src/*.h tests/harness/*.h)
set(units)
foreach(header IN LISTS headers)
  string(REGEX REPLACE "^(include|src)/" "" included ${header})
  set(unit ${CLEPSYDRA_GENERATED}/check_headers/${header}.cc)
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${included}\"\n#include \"${included}\"\n")
  list(APPEND units ${unit})
endforeach()
add_library(check_headers OBJECT EXCLUDE_FROM_ALL ${units})
target_include_directories(check_headers PRIVATE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR})
target_link_libraries(check_headers PRIVATE GTest::gmock GTest::gtest)
