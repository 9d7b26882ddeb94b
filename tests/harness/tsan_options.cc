// Linked into every program of a thread-sanitizer build.

// Libraries of the system are not instrumented: what they do with locks of their own looks like a
// race. The sanitizer calls this before main.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:halt_on_error=1";
}
