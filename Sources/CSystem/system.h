// What the Glibc module leaves out: functions of malloc.h, and GNU's own of fcntl.h and stdlib.h.
#include <malloc.h>
#include <sys/types.h>

extern int fallocate(int descriptor, int mode, off_t offset, off_t length);
extern int mkostemp(char *pattern, int flags);
