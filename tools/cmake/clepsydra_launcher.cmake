# ccache in front of the compiler when it is there. Included before project(), which tries the compiler.
#
# The settings travel on the command line because Ninja runs compilers with the environment of whoever
# types the build command. Without the sloppiness a file that uses the precompiled header is silently not
# cached; the base directory and nohashdir make a second clone hit what the first one compiled.
find_program(CLEPSYDRA_CCACHE ccache)
if(CLEPSYDRA_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros
      CCACHE_BASEDIR=${CMAKE_CURRENT_SOURCE_DIR}
      CCACHE_NOHASHDIR=1
      ${CLEPSYDRA_CCACHE})
endif()
