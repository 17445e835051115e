# Warnings are errors; hardening as a server on the open network needs it; sanitizers by preset.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
                    -Wimplicit-fallthrough -Wno-missing-designated-field-initializers -Werror)
add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection -fno-omit-frame-pointer)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fuse-ld=lld -pie -Wl,-z,relro,-z,now -Wl,--as-needed)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -D_FORTIFY_SOURCE=3")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")

if(TAPAL_SANITIZE)
  add_compile_options(-fsanitize=${TAPAL_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TAPAL_SANITIZE})
endif()
if(TAPAL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Without these two a precompiled header makes every compilation a miss.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
