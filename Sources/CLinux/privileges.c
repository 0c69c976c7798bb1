#include "clinux.h"
#include <signal.h>
#include <sys/prctl.h>

int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int clinux_make_dumpable(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }
