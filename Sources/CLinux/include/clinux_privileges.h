#ifndef CLINUX_PRIVILEGES_H
#define CLINUX_PRIVILEGES_H

// No program that is executed from here on gains rights (prctl(2), PR_SET_NO_NEW_PRIVS).
int clinux_no_new_privileges(void);

// Gives /proc/self to the user whom the process has become (prctl(2), PR_SET_DUMPABLE).
int clinux_make_dumpable(void);

// Has the kernel send SIGKILL when the thread that started this process ends (prctl(2),
// PR_SET_PDEATHSIG); a change of user clears it.
int clinux_die_with_parent(void);

#endif
