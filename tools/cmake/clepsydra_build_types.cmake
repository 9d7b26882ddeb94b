# Compiler and linker settings, the same for every target: the shared precompiled header needs that.
#
# Build types: Dev (daily work), Release, Asan (address + undefined), Tsan (thread), Fuzz (clang).
# Assertions stay on in all of them: none defines NDEBUG.
get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Dev CACHE STRING "Dev, Release, Asan, Tsan or Fuzz" FORCE)
endif()
if(NOT CMAKE_BUILD_TYPE MATCHES "^(Dev|Release|Asan|Tsan|Fuzz)$")
  message(FATAL_ERROR "unknown CMAKE_BUILD_TYPE '${CMAKE_BUILD_TYPE}'; "
                      "expected Dev, Release, Asan, Tsan or Fuzz")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(sanitized "-O1 -g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS -fno-sanitize-recover=all")
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1 -gsplit-dwarf -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -march=x86-64-v2")
set(CMAKE_CXX_FLAGS_ASAN "${sanitized} -fsanitize=address,undefined")
set(CMAKE_CXX_FLAGS_TSAN "${sanitized} -fsanitize=thread")
set(CMAKE_CXX_FLAGS_FUZZ "${sanitized} -fsanitize=fuzzer-no-link,address,undefined")
if(CMAKE_BUILD_TYPE STREQUAL "Fuzz" AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "the build type Fuzz needs clang: use cmake --preset fuzz")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Wrong about std::string's operator+ in GCC 12 (its bug 105651).
  add_compile_options(-Wno-restrict)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Dev")
    # These guess values after inlining, and find fault with std::string and std::optional at -O3 and with
    # what sanitizers add. The sanitizers watch for the same at run time.
    add_compile_options(-Wno-array-bounds -Wno-free-nonheap-object -Wno-maybe-uninitialized
                        -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
else()
  # A string view of 16 bytes is a union of unnamed structs, which g++ does not count as an extension.
  add_compile_options(-Wno-nested-anon-types)
  # Holds the code to what base/thread_annotations.h marks.
  add_compile_options(-Wthread-safety)
endif()

# A link can need a gigabyte under sanitizers: one link at a time.
set_property(GLOBAL PROPERTY JOB_POOLS link=1)
set(CMAKE_JOB_POOL_LINK link)
find_program(CLEPSYDRA_MOLD mold)
if(CLEPSYDRA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

# CMake pads a build-tree RPATH that it will rewrite on installation; the padding is an empty entry, which
# makes the loader search the current directory. One and the same RPATH for both avoids the padding.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
