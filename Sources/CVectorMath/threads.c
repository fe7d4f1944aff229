// The OpenMP run time that oneDNN brings keeps its thread count per calling thread. It is looked up
// in the process: nothing links to it, and a oneDNN without OpenMP works too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>

#include "CVectorMath.h"

typedef void (*set_threads_function)(int);

static atomic_int wanted = CVM_DEFAULT_THREADS;
static _Thread_local int applied = 0;

void cvm_set_threads(int threads) {
  atomic_store_explicit(&wanted, threads, memory_order_relaxed);
}

int cvm_threads(void) { return atomic_load_explicit(&wanted, memory_order_relaxed); }

void cvm_apply_threads(void) {
  int threads = cvm_threads();
  if (threads == applied) return;
  static _Atomic(set_threads_function) found;
  set_threads_function set = atomic_load_explicit(&found, memory_order_relaxed);
  if (!set) {
    set = (set_threads_function)dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    atomic_store_explicit(&found, set, memory_order_relaxed);
  }
  if (set) set(threads);
  applied = threads;
}
