# Functions that rooms, tests and programs are declared with.
#
#   clepsydra_room(<room>
#     REGISTER        <name | folder/name>...   calls register_<name>(registry); adds [folder/]<name>.cc
#                                               to the sources where that file exists
#     REGISTRY_TYPE   <type>                    with REGISTER: the registry's type ...
#     REGISTRY_HEADER <header>                  ... and the header that declares it
#     SOURCES         <files>
#     DEPENDS         <clepsydra::room>...      rooms whose headers this one includes (tools/layers.toml)
#     PUBLIC          <targets>                 libraries that headers of this room include
#     PRIVATE         <targets>                 all other libraries
#     PROTO           <files below proto/>      generated code to use, as #include "<file>.pb.h"
#     TESTS           <files>                   one program <room>_test, one ctest entry
#     TEST_DEPENDS    <targets>                 what only the tests and fuzzers link
#     BENCH           <files>                   one program <room>_bench (target: benches)
#     FUZZ            <files>)                  one program each, named after the file (target: fuzzers)
#
# makes the library clepsydra_<room>, alias clepsydra::<room>. With REGISTER the build writes the definition
# of `void clepsydra::register_all_<room>(<REGISTRY_TYPE>& registry)`, which the registry's header declares.
#
#   clepsydra_register(<room> <suffix> TYPE <type> HEADER <header> NAMES <name | folder/name>...)
#
# does the same for a further registry of a room, under the name register_all_<suffix>.
#
#   clepsydra_executable(<name> SOURCES <files> LINK <targets>)
#   clepsydra_test(<name> SOURCES <files> LINK <targets>)      GoogleTest program, one ctest entry
#   clepsydra_bench(<name> SOURCES <files> LINK <targets>)     google-benchmark program
#   clepsydra_fuzzer(<file> LINK <targets>)                    defines LLVMFuzzerTestOneInput
#   clepsydra_proto(<variable> <file below proto/>...)         libraries of generated code
set(CLEPSYDRA_GENERATED ${PROJECT_BINARY_DIR}/generated)

# The precompiled header of all rooms. Its name in angle brackets keeps the source tree's place out of the
# generated file, so that ccache gives one clone what another compiled.
file(CONFIGURE OUTPUT ${CLEPSYDRA_GENERATED}/pch.cc CONTENT "// Carries the precompiled header.\n")
add_library(clepsydra_pch STATIC ${CLEPSYDRA_GENERATED}/pch.cc)
target_include_directories(clepsydra_pch PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_precompile_headers(clepsydra_pch PRIVATE <base/pch.h>)

add_custom_target(benches)
add_custom_target(fuzzers)

# Whether a file exists; when that changes, the next build configures anew.
function(clepsydra_exists variable path)
  file(GLOB found CONFIGURE_DEPENDS ${path})
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

function(clepsydra_add_directory directory)
  clepsydra_exists(found ${PROJECT_SOURCE_DIR}/${directory}/CMakeLists.txt)
  if(found)
    add_subdirectory(${PROJECT_SOURCE_DIR}/${directory} ${PROJECT_BINARY_DIR}/${directory})
  endif()
endfunction()

# Header search path and precompiled header of one of our targets.
function(clepsydra_target target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_precompile_headers(${target} REUSE_FROM clepsydra_pch)
endfunction()

# Takes files that do not exist (yet) out of the list, so that a half-made change in one room does not stop
# the work in all others. The test check_layers fails on them.
function(clepsydra_existing_files variable folder)
  set(existing)
  foreach(file IN LISTS ${variable})
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${folder} NORMALIZE OUTPUT_VARIABLE path)
    clepsydra_exists(found ${path})
    if(found)
      list(APPEND existing ${file})
    else()
      message(WARNING "listed but not there: ${path}")
    endif()
  endforeach()
  set(${variable} ${existing} PARENT_SCOPE)
endfunction()

function(clepsydra_proto variable)
  set(libraries)
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    string(MAKE_C_IDENTIFIER "clepsydra_proto_${stem}" library)
    list(APPEND libraries ${library})
    if(TARGET ${library})
      continue()
    endif()
    set(source ${PROJECT_SOURCE_DIR}/proto/${file})
    set(output ${CLEPSYDRA_GENERATED}/proto)
    file(MAKE_DIRECTORY ${output})
    # Imports of ours are libraries too; those of protobuf itself are part of its own.
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} import_lines REGEX "^import ")
    set(imports)
    foreach(line IN LISTS import_lines)
      string(REGEX REPLACE ".*\"(.*)\".*" "\\1" import ${line})
      if(EXISTS ${PROJECT_SOURCE_DIR}/proto/${import})
        list(APPEND imports ${import})
      endif()
    endforeach()
    clepsydra_proto(import_libraries ${imports})
    add_custom_command(
      OUTPUT ${output}/${stem}.pb.cc ${output}/${stem}.pb.h
      COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR}/proto --cpp_out=${output} ${source}
      DEPENDS ${source} protobuf::protoc
      COMMENT "Generating ${stem}.pb.cc"
      VERBATIM)
    add_library(${library} STATIC ${output}/${stem}.pb.cc)
    target_include_directories(${library} SYSTEM PUBLIC ${output})
    target_compile_options(${library} PRIVATE -w)
    set_target_properties(${library} PROPERTIES CXX_CLANG_TIDY "")
    target_link_libraries(${library} PUBLIC protobuf::libprotobuf ${import_libraries})
  endforeach()
  set(${variable} ${libraries} PARENT_SCOPE)
endfunction()

function(clepsydra_register room suffix)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "TYPE;HEADER" "NAMES")
  if(NOT arg_TYPE OR NOT arg_HEADER)
    message(FATAL_ERROR "registering ${suffix} in room ${room} needs the registry's type and header")
  endif()
  set(declarations)
  set(calls)
  foreach(entry IN LISTS arg_NAMES)
    cmake_path(GET entry FILENAME name)
    string(APPEND declarations "void register_${name}(${arg_TYPE}& registry);\n")
    string(APPEND calls "  register_${name}(registry);\n")
    clepsydra_exists(found ${CMAKE_CURRENT_SOURCE_DIR}/${entry}.cc)
    if(found)
      target_sources(clepsydra_${room} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${entry}.cc)
    endif()
  endforeach()
  set(output ${CLEPSYDRA_GENERATED}/${room}/${suffix}_registrations.cc)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
       "// Written by the build from the names under REGISTER.
#include \"@arg_HEADER@\"

namespace clepsydra {

@declarations@
void register_all_@suffix@(@arg_TYPE@& registry) {
@calls@}

}  // namespace clepsydra
")
  target_sources(clepsydra_${room} PRIVATE ${output})
endfunction()

function(clepsydra_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  add_executable(${name} ${arg_SOURCES})
  if(CMAKE_BUILD_TYPE STREQUAL "Tsan")
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/harness/tsan_options.cc)
  endif()
  target_link_libraries(${name} PRIVATE ${arg_LINK})
  clepsydra_target(${name})
endfunction()

function(clepsydra_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  clepsydra_executable(${name} SOURCES ${arg_SOURCES}
                       LINK ${arg_LINK} clepsydra_test_main GTest::gmock GTest::gtest)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 900 LABELS unit)
endfunction()

function(clepsydra_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  clepsydra_executable(${name} SOURCES ${arg_SOURCES}
                       LINK ${arg_LINK} benchmark::benchmark benchmark::benchmark_main)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  add_dependencies(benches ${name})
endfunction()

# In the fuzz preset libFuzzer drives; elsewhere a small driver repeats the corpus and a bounded number of
# seeded mutations, so that every test run fuzzes a little, the same way each time.
function(clepsydra_fuzzer file)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  cmake_path(GET file STEM name)
  set(corpus ${PROJECT_SOURCE_DIR}/tests/fuzz/${name})
  if(CMAKE_BUILD_TYPE STREQUAL "Fuzz")
    clepsydra_executable(${name} SOURCES ${file} LINK ${arg_LINK})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    # Inputs that libFuzzer finds go into the build tree; the corpus of the source tree is only read.
    set(found ${PROJECT_BINARY_DIR}/fuzz/${name})
    file(MAKE_DIRECTORY ${found})
    set(command ${name} -runs=20000 -max_total_time=60 -timeout=10 -artifact_prefix=${found}/crash- ${found})
    if(IS_DIRECTORY ${corpus})
      list(APPEND command ${corpus})
    endif()
  else()
    clepsydra_executable(${name} SOURCES ${file} LINK ${arg_LINK} clepsydra_fuzz_driver)
    set(command ${name} ${corpus})
  endif()
  add_test(NAME ${name} COMMAND ${command})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS fuzz)
  add_dependencies(fuzzers ${name})
endfunction()

function(clepsydra_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "REGISTRY_TYPE;REGISTRY_HEADER"
    "REGISTER;SOURCES;DEPENDS;PUBLIC;PRIVATE;PROTO;TESTS;TEST_DEPENDS;BENCH;FUZZ")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "clepsydra_room(${room}): cannot read '${arg_UNPARSED_ARGUMENTS}'; "
                        "keywords without values: '${arg_KEYWORDS_MISSING_VALUES}'")
  endif()
  foreach(list IN ITEMS SOURCES TESTS BENCH FUZZ)
    clepsydra_existing_files(arg_${list} ${CMAKE_CURRENT_SOURCE_DIR})
  endforeach()
  clepsydra_existing_files(arg_PROTO ${PROJECT_SOURCE_DIR}/proto)

  set(library clepsydra_${room})
  add_library(${library} STATIC ${arg_SOURCES})
  add_library(clepsydra::${room} ALIAS ${library})
  clepsydra_target(${library})
  if(arg_REGISTER)
    clepsydra_register(${room} ${room} TYPE ${arg_REGISTRY_TYPE} HEADER ${arg_REGISTRY_HEADER}
                       NAMES ${arg_REGISTER})
  endif()
  foreach(depended IN LISTS arg_DEPENDS)
    if(TARGET ${depended})
      target_link_libraries(${library} PUBLIC ${depended})
    else()
      message(WARNING "room ${room} depends on ${depended}, which is not built before it")
    endif()
  endforeach()
  clepsydra_proto(proto_libraries ${arg_PROTO})
  target_link_libraries(${library} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} ${proto_libraries})

  # Tests may look at everything that the room itself uses.
  set(link clepsydra::${room} ${arg_TEST_DEPENDS} ${arg_PRIVATE} ${proto_libraries})
  if(arg_TESTS)
    clepsydra_test(${room}_test SOURCES ${arg_TESTS} LINK ${link})
  endif()
  if(arg_BENCH)
    clepsydra_bench(${room}_bench SOURCES ${arg_BENCH} LINK ${link})
  endif()
  foreach(file IN LISTS arg_FUZZ)
    clepsydra_fuzzer(${file} LINK ${link})
  endforeach()
endfunction()

# What every test program and every fuzzer outside the fuzz preset shares. Only these files know where the
# source tree lies, so that the others compile to the same bytes in every clone.
add_library(clepsydra_test_main STATIC
            ${PROJECT_SOURCE_DIR}/tests/harness/source_path.cc
            ${PROJECT_SOURCE_DIR}/tests/harness/test_main.cc)
target_link_libraries(clepsydra_test_main PUBLIC GTest::gmock GTest::gtest)
target_include_directories(clepsydra_test_main PUBLIC ${PROJECT_SOURCE_DIR})
set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/harness/source_path.cc PROPERTIES
  COMPILE_DEFINITIONS
  "CLEPSYDRA_SOURCE_DIRECTORY=\"${PROJECT_SOURCE_DIR}\";CLEPSYDRA_BINARY_DIRECTORY=\"${PROJECT_BINARY_DIR}\"")
clepsydra_target(clepsydra_test_main)

add_library(clepsydra_fuzz_driver STATIC ${PROJECT_SOURCE_DIR}/tests/harness/fuzz_driver.cc)
clepsydra_target(clepsydra_fuzz_driver)
