// What the Glibc module leaves out: functions of malloc.h, and GNU's own of fcntl.h and stdlib.h.
#include <malloc.h>
#include <sys/types.h>

extern int fallocate(int descriptor, int mode, off_t offset, off_t length);
extern int mkostemp(char *pattern, int flags);

#include <pthread.h>
#include <signal.h>

// The thread that waits for signals by sigwait.
static inline pthread_t *apus_signal_waiter(void) {
  static pthread_t waiter;
  return &waiter;
}

static inline void apus_forward_signal(int signal) {
  pthread_t waiter = *apus_signal_waiter();
  if (!pthread_equal(pthread_self(), waiter)) pthread_kill(waiter, signal);
}

// A signal that reaches a thread which does not block it (a library's own, older than main) goes on to the
// calling thread. pthread_kill may be called within a handler.
static inline void apus_forward_signals_here(const sigset_t *signals) {
  *apus_signal_waiter() = pthread_self();
  for (int signal = 1; signal < 32; signal++) {
    if (sigismember(signals, signal) != 1) continue;
    struct sigaction action = {0};
    action.sa_handler = apus_forward_signal;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, NULL);
  }
}
