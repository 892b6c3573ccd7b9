/*
 * The fork server: one process beside an agent, which forks a monitor for each session. It has loaded what
 * every monitor would load anew: libpam, the modules of the agent's service, and the name services. It calls
 * nothing of them; what modules do, they do in a monitor.
 *
 * It starts itself anew before it forks again when one of the loaded files has changed on disk, so that an
 * update of PAM reaches the next session; and when a monitor has crashed, so that no two attempts at one meet
 * the same addresses. Its monitors live on meanwhile.
 */
#define _GNU_SOURCE
#include "helper.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDER_OPEN 3u
#define ORDER_END 4u
#define ANSWER_OPENED 5u
#define ANSWER_ENDED 6u
/* Name services of a system. */
#define SERVICES_MAX 32

/* A file as it was when it was loaded; all zero: there was none. */
struct watched {
  char *path;
  struct stat facts;
};

static struct watched *files;
static size_t file_count;
static char *service;
static int has_crashed;

static void look(const char *path, struct stat *facts) {
  if (stat(path, facts) != 0) memset(facts, 0, sizeof *facts);
}

static void watch_file(const char *path) {
  struct watched *grown = realloc(files, (file_count + 1) * sizeof *files);
  char *copy = strdup(path);
  if (grown == NULL || copy == NULL) _exit(CHILD_FAILED_STATUS);
  files = grown;
  files[file_count].path = copy;
  look(copy, &files[file_count++].facts);
}

static int watch_library(struct dl_phdr_info *library, size_t size, void *data) {
  (void)size;
  (void)data;
  if (library->dlpi_name != NULL && library->dlpi_name[0] == '/') watch_file(library->dlpi_name);
  return 0;
}

/* What says which libraries are loaded, and those that are. PAM's rules are read by each monitor anew. */
static void watch_files(void) {
  watch_file("/etc/ld.so.cache");
  watch_file("/etc/ld.so.preload");
  watch_file("/etc/nsswitch.conf");
  dl_iterate_phdr(watch_library, NULL);
}

static int is_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int has_changed_files(void) {
  for (size_t at = 0; at < file_count; at++) {
    struct stat now;
    look(files[at].path, &now);
    if (!is_same(&now, &files[at].facts)) return 1;
  }
  return 0;
}

/* The words of nsswitch.conf(5) after a colon, each a library; only loaded, nobody is asked. */
static void load_name_services(void) {
  char line[1024];
  int count = 0;
  FILE *list = fopen("/etc/nsswitch.conf", "re");
  while (list != NULL && count < SERVICES_MAX && fgets(line, sizeof line, list) != NULL) {
    line[strcspn(line, "#\n")] = 0;
    char *colon = strchr(line, ':');
    char *rest = colon;
    if (colon == NULL) continue;
    *colon = 0;
    if (strcmp(line, "passwd") != 0 && strcmp(line, "group") != 0 && strcmp(line, "shadow") != 0 &&
        strcmp(line, "initgroups") != 0)
      continue;
    rest++;
    for (char *word; (word = strtok_r(rest, " \t", &rest)) != NULL && count < SERVICES_MAX;) {
      char name[80];
      if (!isalnum((unsigned char)word[0])) continue;
      int length = snprintf(name, sizeof name, "libnss_%s.so.2", word);
      if (length < 0 || (size_t)length >= sizeof name || strchr(word, '/') != NULL) continue;
      dlopen(name, RTLD_NOW);
      count++;
    }
  }
  if (list != NULL) fclose(list);
}

/* A child of fork(2) has none of the threads that a library has begun at its loading. */
static int has_threads(void) {
  struct stat facts;
  return stat("/proc/self/task", &facts) != 0 || facts.st_nlink > 3;
}

static void begin_anew(const char *kind) {
  char *const words[] = {"qf-session", "server", service, (char *)kind, NULL};
  char *const none[] = {NULL};
  execve("/proc/self/exe", words, none);
  _exit(CHILD_FAILED_STATUS);
}

/* A monitor that nobody has told to end so: a module of its own has. */
static int is_crash(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGTERM;
}

static int tell(uint32_t answer, pid_t pid) {
  struct output out = {0};
  write_number(&out, answer);
  write_number(&out, (uint32_t)pid);
  return send_frame(&out, INPUT_FD);
}

static void reap(void) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    has_crashed |= is_crash(status);
    tell(ANSWER_ENDED, pid);
  }
}

/* Only what is ours and was not waited for: no other process has its number. */
static void end_monitor(pid_t pid) {
  siginfo_t facts;
  if (pid <= 1 || waitid(P_PID, (id_t)pid, &facts, WEXITED | WNOHANG | WNOWAIT) != 0) return;
  /* One that has only just begun leads no group yet. */
  if (kill(-pid, SIGKILL) != 0) kill(pid, SIGKILL);
}

static void wake(int number) { (void)number; }

static void hear_children(int how) {
  struct sigaction action = {0};
  sigset_t children;
  action.sa_handler = how == SIG_BLOCK ? wake : SIG_DFL;
  sigaction(SIGCHLD, &action, NULL);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(how, &children, NULL);
}

/* In the monitor: a session and a socket of its own, and nothing of the server's. */
static int become_monitor(int socket) {
  hear_children(SIG_UNBLOCK);
  if (setsid() < 0 || dup3(socket, INPUT_FD, O_CLOEXEC) < 0) return CHILD_FAILED_STATUS;
  close(socket);
  return serve_monitor();
}

/* -1: go on. Else this is a monitor that has ended, and its exit status. */
static int take_order(struct input *in, const int fds[SESSION_FDS], int fd_count) {
  uint32_t kind = read_number(in);
  if (kind == ORDER_END) end_monitor((pid_t)read_number(in));
  if (kind != ORDER_OPEN) return -1;
  pid_t pid = fd_count == 1 ? fork() : -1;
  if (pid == 0) return become_monitor(fds[0]);
  return tell(ANSWER_OPENED, pid > 0 ? pid : 0) == 0 ? -1 : 0;
}

static int serve(void) {
  sigset_t all_but_none;
  sigemptyset(&all_but_none);
  for (;;) {
    struct pollfd agent = {.fd = INPUT_FD, .events = POLLIN};
    int fds[SESSION_FDS];
    int fd_count;
    size_t length;
    reap();
    int ready = ppoll(&agent, 1, NULL, &all_but_none);
    if (ready < 0 && errno == EINTR) continue;
    /* The order waits in the socket. */
    reap();
    if (has_crashed || has_changed_files()) begin_anew("");
    uint8_t *bytes = receive_frame(INPUT_FD, &length, fds, &fd_count);
    if (bytes == NULL) return 0;
    struct input in = {bytes, length, 0, 0};
    int status = take_order(&in, fds, fd_count);
    if (status >= 0) return status;
    free(bytes);
    for (int at = 0; at < fd_count; at++) close(fds[at]);
  }
}

int run_server(char *pam_service, const char *kind) {
  service = pam_service;
  close_from(INPUT_FD + 1);
  hear_children(SIG_BLOCK);
  /* "bare": loading has begun threads, which no child would have. */
  if (strcmp(kind, "bare") != 0) {
    pam_preload(service);
    load_name_services();
    if (has_threads()) begin_anew("bare");
  }
  watch_files();
  return serve();
}
