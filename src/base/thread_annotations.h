// Marks which mutex guards what. Checked by Clang (-Wthread-safety) for the types of base/mutex.h,
// ignored by GCC.
#pragma once

#if defined(__clang__)
#define CLP_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CLP_THREAD_ANNOTATION(x)
#endif

#define CLP_CAPABILITY(name) CLP_THREAD_ANNOTATION(capability(name))
#define CLP_SCOPED_CAPABILITY CLP_THREAD_ANNOTATION(scoped_lockable)
#define CLP_GUARDED_BY(mutex) CLP_THREAD_ANNOTATION(guarded_by(mutex))
#define CLP_PT_GUARDED_BY(mutex) CLP_THREAD_ANNOTATION(pt_guarded_by(mutex))
#define CLP_REQUIRES(...) CLP_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CLP_EXCLUDES(...) CLP_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CLP_ACQUIRE(...) CLP_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define CLP_RELEASE(...) CLP_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define CLP_TRY_ACQUIRE(...) CLP_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define CLP_NO_THREAD_SAFETY_ANALYSIS CLP_THREAD_ANNOTATION(no_thread_safety_analysis)
