/* Login records of a terminal: utmp(5), wtmp(5) and lastlog(8), as sshd and login(1) keep them. */
#define _GNU_SOURCE
#include "helper.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utmp.h>
#include <utmpx.h>

#define WTMP "/var/log/wtmp"
#define LASTLOG "/var/log/lastlog"

static struct utmpx entry;
static int is_noted;

/* Fields of these files are cut off, and need no NUL. */
static void fill(char *field, size_t size, const char *text) {
  size_t length = strlen(text);
  memset(field, 0, size);
  memcpy(field, text, length < size ? length : size);
}

static void put(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  entry.ut_tv.tv_sec = (__typeof__(entry.ut_tv.tv_sec))now.tv_sec;
  setutxent();
  pututxline(&entry);
  endutxent();
  updwtmpx(WTMP, &entry);
}

static void fill_address(const char *host) {
  memset(&entry.ut_addr_v6, 0, sizeof entry.ut_addr_v6);
  const char *plain = strncmp(host, "::ffff:", 7) == 0 ? host + 7 : host;
  if (inet_pton(AF_INET, plain, &entry.ut_addr_v6) == 1) return;
  inet_pton(AF_INET6, host, &entry.ut_addr_v6);
}

/* Only where the file is: systems that have given it up do not get it back. */
static void write_lastlog(uid_t uid, const char *line, const char *host) {
  struct lastlog last;
  struct stat facts;
  memset(&last, 0, sizeof last);
  last.ll_time = (__typeof__(last.ll_time))entry.ut_tv.tv_sec;
  fill(last.ll_line, sizeof last.ll_line, line);
  fill(last.ll_host, sizeof last.ll_host, host);
  int fd = open(LASTLOG, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  if (fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
    ssize_t written = pwrite(fd, &last, sizeof last, (off_t)uid * (off_t)sizeof last);
    (void)written;
  }
  close(fd);
}

void note_login(const char *user, uid_t uid, const char *terminal, const char *remote_host, pid_t pid) {
  const char *line = strncmp(terminal, "/dev/", 5) == 0 ? terminal + 5 : terminal;
  /* What names the entry: the last four characters of the line, as every other program has it. */
  char id[sizeof entry.ut_line + 1];
  const char *number = strncmp(line, "pts/", 4) == 0 ? line + 4 : NULL;
  size_t length = 0;
  if (number != NULL) id[length++] = 't', id[length++] = 's', id[length++] = '/';
  for (const char *at = number != NULL ? number : line; *at != 0 && length < sizeof id - 1; at++) id[length++] = *at;
  id[length] = 0;
  memset(&entry, 0, sizeof entry);
  entry.ut_type = USER_PROCESS;
  entry.ut_pid = pid;
  entry.ut_session = pid;
  fill(entry.ut_line, sizeof entry.ut_line, line);
  fill(entry.ut_id, sizeof entry.ut_id, length > 4 ? id + length - 4 : id);
  fill(entry.ut_user, sizeof entry.ut_user, user);
  fill(entry.ut_host, sizeof entry.ut_host, remote_host);
  fill_address(remote_host);
  put();
  write_lastlog(uid, line, remote_host);
  is_noted = 1;
}

void note_logout(void) {
  if (!is_noted) return;
  is_noted = 0;
  entry.ut_type = DEAD_PROCESS;
  memset(entry.ut_user, 0, sizeof entry.ut_user);
  memset(entry.ut_host, 0, sizeof entry.ut_host);
  memset(&entry.ut_addr_v6, 0, sizeof entry.ut_addr_v6);
  put();
}
