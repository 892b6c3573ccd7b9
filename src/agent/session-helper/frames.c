/* Frames between the agent and its helper: a length, then numbers and texts, little-endian. */
#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Words of a list: as many as a spec could hold. */
#define WORDS_MAX (256u * 1024)

static const uint8_t *take(struct input *in, size_t count) {
  if (in->failed || in->length - in->at < count) {
    in->failed = 1;
    return NULL;
  }
  const uint8_t *found = in->bytes + in->at;
  in->at += count;
  return found;
}

uint32_t read_number(struct input *in) {
  const uint8_t *b = take(in, 4);
  if (b == NULL) return 0;
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

char *read_text(struct input *in) {
  uint32_t length = read_number(in);
  const uint8_t *b = take(in, length);
  if (b == NULL || memchr(b, 0, length) != NULL) {
    in->failed = 1;
    return NULL;
  }
  char *text = malloc((size_t)length + 1);
  if (text == NULL) {
    in->failed = 1;
    return NULL;
  }
  memcpy(text, b, length);
  text[length] = 0;
  return text;
}

char **read_texts(struct input *in) {
  uint32_t count = read_number(in);
  if (in->failed || count > WORDS_MAX) {
    in->failed = 1;
    return NULL;
  }
  char **texts = calloc((size_t)count + 1, sizeof *texts);
  if (texts == NULL) {
    in->failed = 1;
    return NULL;
  }
  for (uint32_t at = 0; at < count && !in->failed; at++) texts[at] = read_text(in);
  return in->failed ? NULL : texts;
}

int is_whole(const struct input *in) { return !in->failed && in->at == in->length; }

static void put(struct output *out, const void *bytes, size_t count) {
  if (out->length + count > out->room) {
    size_t room = out->room == 0 ? 4096 : out->room;
    while (room < out->length + count) room *= 2;
    uint8_t *grown = realloc(out->bytes, room);
    if (grown == NULL) _exit(CHILD_FAILED_STATUS);
    out->bytes = grown;
    out->room = room;
  }
  memcpy(out->bytes + out->length, bytes, count);
  out->length += count;
}

static void begin(struct output *out) {
  static const uint8_t nothing[4];
  if (out->length == 0) put(out, nothing, 4);
}

void write_number(struct output *out, uint32_t value) {
  uint8_t b[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
  begin(out);
  put(out, b, 4);
}

void write_wide(struct output *out, uint64_t value) {
  write_number(out, (uint32_t)value);
  write_number(out, (uint32_t)(value >> 32));
}

void write_text(struct output *out, const char *text) {
  size_t length = strlen(text);
  write_number(out, (uint32_t)length);
  put(out, text, length);
}

int send_frame(struct output *out, int fd) {
  uint32_t body = (uint32_t)(out->length - 4);
  for (int at = 0; at < 4; at++) out->bytes[at] = (uint8_t)(body >> (8 * at));
  size_t sent = 0;
  while (sent < out->length) {
    ssize_t count = send(fd, out->bytes + sent, out->length - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    sent += (size_t)count;
  }
  int result = sent == out->length ? 0 : -1;
  free(out->bytes);
  memset(out, 0, sizeof *out);
  return result;
}

static void keep_descriptors(struct msghdr *message, int fds[SESSION_FDS], int *fd_count) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t at = 0; at < count; at++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + at * sizeof fd, sizeof fd);
      if (*fd_count < SESSION_FDS) fds[(*fd_count)++] = fd;
      else close(fd);
    }
  }
}

/* `count` bytes, with the descriptors that come with them. 0: all came. */
static int receive(int fd, uint8_t *bytes, size_t count, int fds[SESSION_FDS], int *fd_count) {
  for (size_t at = 0; at < count;) {
    union {
      char bytes[CMSG_SPACE(SESSION_FDS * sizeof(int))];
      struct cmsghdr aligned;
    } control;
    struct iovec part = {bytes + at, count - at};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    keep_descriptors(&message, fds, fd_count);
    at += (size_t)got;
  }
  return 0;
}

uint8_t *receive_frame(int fd, size_t *length, int fds[SESSION_FDS], int *fd_count) {
  uint8_t head[4];
  *fd_count = 0;
  if (receive(fd, head, sizeof head, fds, fd_count) != 0) return NULL;
  struct input in = {head, sizeof head, 0, 0};
  *length = read_number(&in);
  if (*length > FRAME_BYTES_MAX) return NULL;
  uint8_t *bytes = malloc(*length + 1);
  if (bytes == NULL || receive(fd, bytes, *length, fds, fd_count) != 0) {
    free(bytes);
    return NULL;
  }
  return bytes;
}

uint8_t *read_all(int fd, size_t *length) {
  size_t room = 16384;
  uint8_t *bytes = malloc(room);
  *length = 0;
  while (bytes != NULL) {
    if (*length == room) {
      uint8_t *grown = room >= FRAME_BYTES_MAX ? NULL : realloc(bytes, room *= 2);
      if (grown == NULL) break;
      bytes = grown;
    }
    ssize_t got = read(fd, bytes + *length, room - *length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) {
      if (*length > 0) return bytes;
      break;
    }
    *length += (size_t)got;
  }
  free(bytes);
  return NULL;
}
