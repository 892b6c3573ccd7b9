/* The session's monitor, and which of its parts the helper is. */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#else
#define malloc_trim(pad) ((void)(pad))
#endif

#define ORDER_ACCOUNT 1u
#define ORDER_SESSION 2u
#define ANSWER_ACCOUNT 1u
#define ANSWER_STARTED 2u
#define ANSWER_EXITED 3u
#define ANSWER_REFUSED 4u
#define SESSION_IS_SILENT 1u
#define SESSION_HAS_MODULES 2u
/* As sshd's, for modules and for the session. */
#define UMASK 022

struct session {
  uint32_t flags;
  uid_t uid;
  gid_t gid;
  char *service;
  char *user;
  char *remote_host;
  /* Empty: none, and no record. */
  char *terminal;
  /* What the child executes as it is, with its spec waiting, rather than read it itself. None: nothing. */
  char **words;
  char **env;
};

static void refuse(const char *why) {
  struct output out = {0};
  write_number(&out, ANSWER_REFUSED);
  write_text(&out, why);
  write_text(&out, pam_text());
  send_frame(&out, INPUT_FD);
}

static void refuse_call(const char *call) {
  char line[128];
  snprintf(line, sizeof line, "%s answers %d", call, pam_code);
  refuse(line);
}

/* -1: no session may follow. */
static int check_account(struct input *in) {
  char *service = read_text(in);
  char *user = read_text(in);
  char *remote_host = read_text(in);
  if (!is_whole(in)) {
    refuse("an unreadable order");
    return -1;
  }
  if (pam_begin(service, user, remote_host) != 0) {
    refuse_call("pam_start");
    return -1;
  }
  int code = pam_check_account();
  struct output out = {0};
  write_number(&out, ANSWER_ACCOUNT);
  write_number(&out, (uint32_t)code);
  write_text(&out, pam_text());
  if (send_frame(&out, INPUT_FD) != 0) return -1;
  return code == 0 ? 0 : -1;
}

static int parse_session(struct input *in, struct session *order) {
  order->flags = read_number(in);
  order->uid = read_number(in);
  order->gid = read_number(in);
  order->service = read_text(in);
  order->user = read_text(in);
  order->remote_host = read_text(in);
  order->terminal = read_text(in);
  order->words = read_texts(in);
  order->env = read_texts(in);
  return is_whole(in) ? 0 : -1;
}

/* NULL: modules have opened it, or there are none. Else what they, or the system, refused. */
static const char *open_session(const struct session *order) {
  if ((order->flags & SESSION_HAS_MODULES) == 0) return NULL;
  if (!is_pam_begun() && pam_begin(order->service, order->user, order->remote_host) != 0) return "pam_start";
  umask(UMASK);
  if (initgroups(order->user, order->gid) != 0) {
    pam_code = errno;
    return "initgroups";
  }
  return pam_open(order->terminal, (order->flags & SESSION_IS_SILENT) != 0);
}

static void read_limits(struct rlimit limits[LIMITS]) {
  for (int at = 0; at < LIMITS; at++) {
    if (getrlimit((__typeof__(RLIMIT_CPU))at, &limits[at]) != 0) memset(&limits[at], 0, sizeof limits[at]);
  }
}

static int is_changed(const struct rlimit *before, const struct rlimit *after) {
  return before->rlim_cur != after->rlim_cur || before->rlim_max != after->rlim_max;
}

/* The user's limits are not the monitor's: it has to live to close the session. */
static void restore_limits(const struct rlimit before[LIMITS], const struct rlimit after[LIMITS]) {
  for (int at = 0; at < LIMITS; at++) {
    if (is_changed(&before[at], &after[at])) setrlimit((__typeof__(RLIMIT_CPU))at, &before[at]);
  }
}

static void write_limits(struct output *out, const struct rlimit before[LIMITS], const struct rlimit after[LIMITS]) {
  uint32_t count = 0;
  for (int at = 0; at < LIMITS; at++) count += is_changed(&before[at], &after[at]) ? 1 : 0;
  write_number(out, count);
  for (int at = 0; at < LIMITS; at++) {
    if (!is_changed(&before[at], &after[at])) continue;
    write_number(out, (uint32_t)at);
    write_wide(out, after[at].rlim_cur);
    write_wide(out, after[at].rlim_max);
  }
}

static void write_groups(struct output *out) {
  int count = getgroups(0, NULL);
  gid_t *ids = count > 0 ? calloc((size_t)count, sizeof *ids) : NULL;
  if (ids == NULL || (count = getgroups(count, ids)) < 0) count = 0;
  write_number(out, (uint32_t)count);
  for (int at = 0; at < count; at++) write_number(out, ids[at]);
  free(ids);
}

static void write_words(struct output *out, char **words) {
  uint32_t count = 0;
  while (words != NULL && words[count] != NULL) count++;
  write_number(out, count);
  for (uint32_t at = 0; at < count; at++) write_text(out, words[at]);
}

/* What the child needs to know of what modules changed, for one that does not inherit it. */
static int tell_started(pid_t pid, int has_modules, const struct rlimit before[LIMITS], const struct rlimit after[LIMITS]) {
  struct output out = {0};
  mode_t mask = umask(UMASK);
  umask(mask);
  write_number(&out, ANSWER_STARTED);
  write_number(&out, (uint32_t)pid);
  write_text(&out, pam_text());
  write_words(&out, has_modules ? pam_words() : NULL);
  write_number(&out, (uint32_t)mask);
  write_groups(&out);
  write_limits(&out, before, after);
  return send_frame(&out, INPUT_FD);
}

static void take_descriptors(const int fds[SESSION_FDS]) {
  int moved[SESSION_FDS];
  for (int at = 0; at < SESSION_FDS; at++) {
    moved[at] = fcntl(fds[at], F_DUPFD_CLOEXEC, INPUT_FD + 1);
    if (moved[at] < 0) _exit(CHILD_FAILED_STATUS);
  }
  for (int at = 0; at < SESSION_FDS; at++) {
    if (dup2(moved[at], at) < 0) _exit(CHILD_FAILED_STATUS);
  }
  close_from(SESSION_FDS);
}

/* In the child: a session of its own, its descriptors, and what it is. */
static void begin_child(const struct session *order, const int fds[SESSION_FDS]) {
  if (setsid() < 0) _exit(CHILD_FAILED_STATUS);
  take_descriptors(fds);
  if (order->words[0] == NULL) _exit(run_child((order->flags & SESSION_HAS_MODULES) != 0));
  reset_signals();
  execve(order->words[0], order->words, order->env);
  _exit(CHILD_FAILED_STATUS);
}

static pid_t start_child(const struct session *order, const int fds[SESSION_FDS],
                         const struct rlimit before[LIMITS], const struct rlimit after[LIMITS]) {
  /* One that reads its spec itself has the limits from its start; a runtime might not live within them. */
  if (order->words[0] != NULL) restore_limits(before, after);
  int led[2];
  if (pipe2(led, O_CLOEXEC) != 0) return -1;
  pid_t pid = fork();
  if (pid == 0) begin_child(order, fds);
  /* Who is told of the child may signal its group at once, so it leads one by then: its end is closed after. */
  close(led[1]);
  char none;
  while (pid > 0 && read(led[0], &none, 1) < 0 && errno == EINTR) continue;
  close(led[0]);
  if (order->words[0] == NULL) restore_limits(before, after);
  return pid;
}

static void tell_exited(int status) {
  struct output out = {0};
  write_number(&out, ANSWER_EXITED);
  write_number(&out, WIFSIGNALED(status) ? 0 : (uint32_t)WEXITSTATUS(status));
  write_number(&out, WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0);
  send_frame(&out, INPUT_FD);
}

/* Waits for the end, which the agent hears before modules close the session: as from sshd, nobody waits. */
static void watch(pid_t pid) {
  int status = 0;
  malloc_trim(0);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  note_logout();
  tell_exited(status);
}

static void serve_session(struct input *in, const int fds[SESSION_FDS], int fd_count) {
  struct session order;
  struct rlimit before[LIMITS];
  struct rlimit after[LIMITS];
  if (parse_session(in, &order) != 0 || fd_count != SESSION_FDS) {
    refuse("an unreadable order");
    return;
  }
  read_limits(before);
  const char *refused = open_session(&order);
  read_limits(after);
  if (refused != NULL) {
    restore_limits(before, after);
    refuse_call(refused);
    return;
  }
  pid_t pid = start_child(&order, fds, before, after);
  for (int at = 0; at < fd_count; at++) close(fds[at]);
  if (pid < 0) {
    refuse("the operating system has no process left");
    return;
  }
  if (order.terminal[0] != 0) note_login(order.user, order.uid, order.terminal, order.remote_host, pid);
  tell_started(pid, (order.flags & SESSION_HAS_MODULES) != 0, before, after);
  watch(pid);
}

/* Modules may read and print, and what is theirs is not our socket. */
static void take_nothing_from_standard_descriptors(void) {
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3 && nothing >= 0; fd++) dup2(nothing, fd);
  if (nothing > 2) close(nothing);
}

int serve_monitor(void) {
  int fds[SESSION_FDS];
  int fd_count;
  size_t length;
  for (uint8_t *bytes; (bytes = receive_frame(INPUT_FD, &length, fds, &fd_count)) != NULL; free(bytes)) {
    struct input in = {bytes, length, 0, 0};
    uint32_t kind = read_number(&in);
    if (kind == ORDER_ACCOUNT && check_account(&in) == 0) continue;
    if (kind == ORDER_SESSION) serve_session(&in, fds, fd_count);
    break;
  }
  note_logout();
  pam_finish();
  return 0;
}

static int run_monitor(void) {
  fcntl(INPUT_FD, F_SETFD, FD_CLOEXEC);
  close_from(INPUT_FD + 1);
  has_pam();
  return serve_monitor();
}

int main(int argc, char **argv) {
  prctl(PR_SET_NAME, "qf-session");
  const char *part = argc == 2 ? argv[1] : "";
  if (argc == 4 && strcmp(argv[1], "server") == 0) {
    take_nothing_from_standard_descriptors();
    return run_server(argv[2], argv[3]);
  }
  /* What an agent asks at its start: whether this system can run it. */
  if (strcmp(part, "probe") == 0) return 0;
  if (strcmp(part, "child") == 0) return run_child(0);
  if (strcmp(part, "monitor") == 0) {
    take_nothing_from_standard_descriptors();
    return run_monitor();
  }
  return 2;
}
