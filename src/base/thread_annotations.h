// Marks which mutex guards what. Checked by Clang (-Wthread-safety), ignored by
// GCC.
#pragma once

#if defined(__clang__)
#define CLP_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define CLP_THREAD_ANNOTATION(x)
#endif

#define CLP_GUARDED_BY(mutex) CLP_THREAD_ANNOTATION(guarded_by(mutex))
#define CLP_PT_GUARDED_BY(mutex) CLP_THREAD_ANNOTATION(pt_guarded_by(mutex))
#define CLP_REQUIRES(...) CLP_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define CLP_EXCLUDES(...) CLP_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define CLP_NO_THREAD_SAFETY_ANALYSIS CLP_THREAD_ANNOTATION(no_thread_safety_analysis)
