/*
 * The privileged child: reads its spec, becomes the user for good, and executes.
 *
 * Order is everything: defaults for signals, terminal, login id, groups, gid, uid, proof that there is no way
 * back, and only then the user's folder and the user's program. Any failure ends it before a byte of the
 * user's runs.
 */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPEC_VERSION 1u
#define SPEC_DROPS 1u
#define SPEC_HAS_TERMINAL 2u
#define SIGNALS 64

struct spec {
  uint32_t flags;
  uid_t uid;
  gid_t gid;
  char *user;
  char *home;
  char *file;
  char **argv;
  char **env;
  char *greeting;
};

static void say(const char *format, ...) {
  char line[4096 + 256];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  if (length < 0) return;
  ssize_t written = write(2, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
  (void)written;
}

static int fail(const char *why) {
  say("qf: error: the session could not be started: %s\n", why);
  return CHILD_FAILED_STATUS;
}

void reset_signals(void) {
  /* The kernel's own call: the C library keeps some signals to itself, also when they were ignored. */
  struct {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
  } action = {0};
  for (long number = 1; number <= SIGNALS; number++) syscall(SYS_rt_sigaction, number, &action, NULL, 8L);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0u) == 0) return;
#endif
  struct rlimit files;
  rlim_t end = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < 65536 ? files.rlim_max : 65536;
  for (int fd = first; (rlim_t)fd < end; fd++) close(fd);
}

static int parse(struct input *in, struct spec *spec) {
  uint32_t version = read_number(in);
  spec->flags = read_number(in);
  spec->uid = read_number(in);
  spec->gid = read_number(in);
  spec->user = read_text(in);
  spec->home = read_text(in);
  spec->file = read_text(in);
  spec->argv = read_texts(in);
  spec->env = read_texts(in);
  spec->greeting = read_text(in);
  if (version != SPEC_VERSION || !is_whole(in)) return -1;
  return spec->user[0] != 0 && spec->home[0] == '/' && spec->file[0] == '/' ? 0 : -1;
}

/*
 * Tells the kernel's audit whose session this is, as pam_loginuid does; it then gives the session an id that
 * no descendant can shed. Not every kernel or container lets us.
 */
static void set_login_id(uid_t uid) {
  char text[16];
  int length = snprintf(text, sizeof text, "%u", (unsigned)uid);
  int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t written = write(fd, text, (size_t)length);
  (void)written;
  close(fd);
}

/* What a session's monitor has prepared for its child, its groups and its mask, is not prepared again. */
static const char *drop(const struct spec *spec, int is_prepared) {
  set_login_id(spec->uid);
  if (!is_prepared && initgroups(spec->user, spec->gid) != 0) return "its groups were refused";
  if (setresgid(spec->gid, spec->gid, spec->gid) != 0) return "its group was refused";
  if (setresuid(spec->uid, spec->uid, spec->uid) != 0) return "its user was refused";
  return NULL;
}

/* All three ids of both kinds, and that root is out of reach. */
static const char *verify_dropped(const struct spec *spec) {
  uid_t users[3];
  gid_t groups[3];
  if (getresuid(&users[0], &users[1], &users[2]) != 0) return "own ids cannot be read";
  if (getresgid(&groups[0], &groups[1], &groups[2]) != 0) return "own ids cannot be read";
  for (int at = 0; at < 3; at++) {
    if (users[at] != spec->uid || groups[at] != spec->gid) return "the ids of the user were not taken";
  }
  if (spec->uid == 0) return NULL;
  if (setuid(0) == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0) return "root is still within reach";
  return NULL;
}

static const char *enter_home(const char *home) {
  if (chdir(home) == 0) return NULL;
  /* As sshd says it. */
  say("Could not chdir to home directory %s: %s\n", home,
      errno == EACCES ? "Permission denied" : "No such file or directory");
  return chdir("/") == 0 ? NULL : "no folder can be entered";
}

static void greet(const struct spec *spec) {
  struct stat facts;
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/.hushlogin", spec->home);
  if (spec->greeting[0] == 0) return;
  if (length > 0 && (size_t)length < sizeof path && stat(path, &facts) == 0) return;
  const char *at = spec->greeting;
  for (size_t left = strlen(at); left > 0;) {
    ssize_t count = write(1, at, left);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    at += count;
    left -= (size_t)count;
  }
}

int run_child(int is_prepared) {
  struct spec spec;
  const char *why;
  size_t length;
  uint8_t *bytes = read_all(INPUT_FD, &length);
  if (bytes == NULL) return CHILD_FAILED_STATUS;
  struct input in = {bytes, length, 0, 0};
  close_from(INPUT_FD);
  if (parse(&in, &spec) != 0) return fail("its orders are unreadable");
  reset_signals();
  if (spec.flags & SPEC_HAS_TERMINAL && ioctl(0, TIOCSCTTY, 0) != 0) return fail("its terminal was refused");
  if (spec.flags & SPEC_DROPS && (why = drop(&spec, is_prepared)) != NULL) return fail(why);
  if ((why = verify_dropped(&spec)) != NULL) return fail(why);
  if (!is_prepared) umask(022);
  if ((why = enter_home(spec.home)) != NULL) return fail(why);
  greet(&spec);
  execve(spec.file, spec.argv, spec.env);
  return fail(strerror(errno));
}
