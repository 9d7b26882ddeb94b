# Third-party libraries, found once. A room names the imported targets it uses under PRIVATE:
#
#   fmt::fmt spdlog::spdlog xxhash::xxhash zstd::libzstd_shared lz4::lz4 ZLIB::ZLIB libzip::zip
#   simdjson::simdjson nlohmann_json::nlohmann_json yaml-cpp protobuf::libprotobuf
#   pcre2::pcre2-8 utf8proc::utf8proc date::date date::date-tz mimalloc rocksdb::rocksdb
#   Threads::Threads
#   clepsydra_expat
#
# tools/install_dependencies installs all of them on Debian 12.
set(THREADS_PREFER_PTHREAD_FLAG OFF)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED CONFIG)
find_package(spdlog REQUIRED CONFIG)
find_package(zstd REQUIRED CONFIG)
find_package(ZLIB REQUIRED)
find_package(simdjson REQUIRED CONFIG)
find_package(nlohmann_json REQUIRED CONFIG)
find_package(yaml-cpp REQUIRED CONFIG)
find_package(Protobuf REQUIRED)
find_package(date REQUIRED CONFIG)
find_package(mimalloc REQUIRED CONFIG)
find_package(GTest REQUIRED CONFIG)
find_package(benchmark REQUIRED CONFIG)

# For libraries without a CMake package of their own (libzip's asks for tools that Debian ships apart).
function(clepsydra_find_library target header library)
  string(MAKE_C_IDENTIFIER "CLEPSYDRA_${target}" variable)
  find_path(${variable}_INCLUDE ${header})
  find_library(${variable}_LIBRARY ${library})
  mark_as_advanced(${variable}_INCLUDE ${variable}_LIBRARY)
  if(NOT ${variable}_INCLUDE OR NOT ${variable}_LIBRARY)
    message(FATAL_ERROR "cannot find the library '${library}' with its header <${header}>; "
                        "run tools/install_dependencies")
  endif()
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION ${${variable}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${${variable}_INCLUDE})
endfunction()

clepsydra_find_library(xxhash::xxhash xxhash.h xxhash)
clepsydra_find_library(lz4::lz4 lz4.h lz4)
clepsydra_find_library(libzip::zip zip.h zip)
clepsydra_find_library(rocksdb::rocksdb rocksdb/db.h rocksdb)
clepsydra_find_library(utf8proc::utf8proc utf8proc.h utf8proc)
clepsydra_find_library(pcre2::pcre2-8 pcre2.h pcre2-8)
set_property(TARGET pcre2::pcre2-8 PROPERTY INTERFACE_COMPILE_DEFINITIONS PCRE2_CODE_UNIT_WIDTH=8)

# Linked statically: a program that never sees XML does not load it.
clepsydra_find_library(clepsydra_expat expat.h libexpat.a)

# Only their headers: what needs them loads the libraries itself (base/object_store/foreign_library.h).
foreach(header IN ITEMS curl/curl.h openssl/hmac.h)
  string(MAKE_C_IDENTIFIER "CLEPSYDRA_${header}" variable)
  find_path(${variable} ${header})
  mark_as_advanced(${variable})
  if(NOT ${variable})
    message(FATAL_ERROR "cannot find the header <${header}>; run tools/install_dependencies")
  endif()
endforeach()
