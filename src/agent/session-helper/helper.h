/*
 * The session helper: the privileged native process beside a session. It asks PAM, opens the session, forks
 * the child that becomes the user, notes both ends in utmp(5), and closes the session.
 *
 * It hears the agent only: frames on a unix socket (session-helper.ts), a spec on a pipe (child-frames.ts).
 * Nothing of a user's is read or run before the user's ids have been taken.
 */
#ifndef QF_HELPER_H
#define QF_HELPER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Where a process of ours finds what the agent sends it: its socket, or its spec. */
#define INPUT_FD 3
#define CHILD_FAILED_STATUS 254
/* A command of 128 kB, an environment of as much, and room. */
#define FRAME_BYTES_MAX (2u * 1024 * 1024)
#define TEXT_BYTES_MAX 65536u
#define LIMITS 16
#define SESSION_FDS 4

/* A frame that is read: every read checks what is left, and after the first failure all fail. */
struct input {
  const uint8_t *bytes;
  size_t length;
  size_t at;
  int failed;
};

uint32_t read_number(struct input *in);
/* Ends with NUL and holds no other. NULL: there is none. */
char *read_text(struct input *in);
/* Ends with NULL. */
char **read_texts(struct input *in);
/* Everything was read, and nothing failed. */
int is_whole(const struct input *in);

/* A frame that is written: grows, and ends the process where there is no memory. */
struct output {
  uint8_t *bytes;
  size_t length;
  size_t room;
};

void write_number(struct output *out, uint32_t value);
void write_wide(struct output *out, uint64_t value);
void write_text(struct output *out, const char *text);
/* Ends the frame, sends it, and frees it. 0: sent. */
int send_frame(struct output *out, int fd);
/* A frame's bytes with the descriptors that came with it. NULL: no more come. */
uint8_t *receive_frame(int fd, size_t *length, int fds[SESSION_FDS], int *fd_count);
/* All bytes to the end of `fd`. NULL: there are none, or too many. */
uint8_t *read_all(int fd, size_t *length);

/* PAM, by its name: a system without it has none. */
int pam_begin(const char *service, const char *user, const char *remote_host);
int pam_check_account(void);
/* NULL: it is open. Else the call that was refused, with its code in `pam_code`. */
const char *pam_open(const char *terminal, int is_silent);
extern int pam_code;
int has_pam(void);
/* Has libpam load the modules of `service`, for the forks of this process. Calls none of them. */
void pam_preload(const char *service);
int is_pam_begun(void);
/* What modules said since the last time; never NULL. */
const char *pam_text(void);
/* `NAME=value` words, ending with NULL. */
char **pam_words(void);
/* Closes what is open. */
void pam_finish(void);

/* utmp(5), wtmp(5) and lastlog(8), where the system has them. Never fails. */
void note_login(const char *user, uid_t uid, const char *terminal, const char *remote_host, pid_t pid);
void note_logout(void);

void reset_signals(void);
/* Closes all from `first` on. */
void close_from(int first);
/* Reads its spec, becomes the user for good and executes; returns the exit status where it cannot. */
int run_child(int is_prepared);
/* Serves one session by the orders at INPUT_FD. */
int serve_monitor(void);
/* Forks monitors by the orders at INPUT_FD; in each of them returns when its session has ended. */
int run_server(char *pam_service, const char *kind);

#endif
