/*
 * PAM (pam(3)): may this account be used now, and its session. Never a password: who a person is has been
 * proven before, so a module that asks gets an error.
 */
#define _GNU_SOURCE
#include "helper.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* <security/_pam_types.h>, which a machine that builds need not have. */
#define PAM_SUCCESS 0
#define PAM_OPEN_ERR 1
#define PAM_BUF_ERR 5
#define PAM_CONV_ERR 19
#define PAM_TTY 3
#define PAM_RHOST 4
#define PAM_ESTABLISH_CRED 0x2
#define PAM_DELETE_CRED 0x4
#define PAM_SILENT 0x8000
#define PAM_ERROR_MSG 3
#define PAM_TEXT_INFO 4
#define PAM_MAX_NUM_MSG 32

struct pam_message {
  int style;
  const char *text;
};
struct pam_response {
  char *text;
  int code;
};
struct pam_conv {
  int (*converse)(int, const struct pam_message **, struct pam_response **, void *);
  void *data;
};

static struct {
  int (*start)(const char *, const char *, const struct pam_conv *, void **);
  int (*end)(void *, int);
  int (*set_item)(void *, int, const void *);
  int (*acct_mgmt)(void *, int);
  int (*setcred)(void *, int);
  int (*open_session)(void *, int);
  int (*close_session)(void *, int);
  char **(*getenvlist)(void *);
} calls;

int pam_code = PAM_SUCCESS;
static void *handle;
static int is_open;
static char said[TEXT_BYTES_MAX + 1];
static size_t said_length;

static void hear(const char *text) {
  size_t length = strlen(text);
  int has_end = length > 0 && text[length - 1] == '\n';
  size_t room = TEXT_BYTES_MAX - said_length;
  size_t taken = length < room ? length : room;
  memcpy(said + said_length, text, taken);
  said_length += taken;
  if (!has_end && said_length < TEXT_BYTES_MAX) said[said_length++] = '\n';
  said[said_length] = 0;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **answers, void *data) {
  (void)data;
  if (count <= 0 || count > PAM_MAX_NUM_MSG) return PAM_CONV_ERR;
  int is_answered = 1;
  for (int at = 0; at < count; at++) {
    int style = messages[at]->style;
    if (style != PAM_ERROR_MSG && style != PAM_TEXT_INFO) is_answered = 0;
    else if (messages[at]->text != NULL) hear(messages[at]->text);
  }
  if (!is_answered) return PAM_CONV_ERR;
  /* Modules free it. */
  *answers = calloc((size_t)count, sizeof **answers);
  return *answers == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static int load(void *library, const char *name, void *call) {
  void *found = dlsym(library, name);
  memcpy(call, &found, sizeof found);
  return found != NULL;
}

int has_pam(void) {
  static int known = -1;
  if (known >= 0) return known;
  void *library = dlopen("libpam.so.0", RTLD_NOW | RTLD_GLOBAL);
  known = library != NULL && load(library, "pam_start", &calls.start) && load(library, "pam_end", &calls.end) &&
          load(library, "pam_set_item", &calls.set_item) && load(library, "pam_acct_mgmt", &calls.acct_mgmt) &&
          load(library, "pam_setcred", &calls.setcred) &&
          load(library, "pam_open_session", &calls.open_session) &&
          load(library, "pam_close_session", &calls.close_session) &&
          load(library, "pam_getenvlist", &calls.getenvlist);
  return known;
}

void pam_preload(const char *service) {
  static const struct pam_conv conversation = {converse, NULL};
  void *kept = NULL;
  /* Never ended: modules stay loaded while there is a handle that names them. */
  if (has_pam()) calls.start(service, "root", &conversation, &kept);
}

int is_pam_begun(void) { return handle != NULL; }

int pam_begin(const char *service, const char *user, const char *remote_host) {
  static const struct pam_conv conversation = {converse, NULL};
  if (handle != NULL) return PAM_SUCCESS;
  pam_code = PAM_OPEN_ERR;
  if (!has_pam()) return pam_code;
  pam_code = calls.start(service, user, &conversation, &handle);
  if (pam_code != PAM_SUCCESS) {
    handle = NULL;
    return pam_code;
  }
  pam_code = calls.set_item(handle, PAM_RHOST, remote_host);
  /* As sshd says it where there is no terminal. */
  if (pam_code == PAM_SUCCESS) pam_code = calls.set_item(handle, PAM_TTY, "ssh");
  return pam_code;
}

int pam_check_account(void) {
  pam_code = calls.acct_mgmt(handle, 0);
  return pam_code;
}

const char *pam_open(const char *terminal, int is_silent) {
  int flags = is_silent ? PAM_SILENT : 0;
  if (terminal[0] != 0) {
    pam_code = calls.set_item(handle, PAM_TTY, terminal);
    if (pam_code != PAM_SUCCESS) return "pam_set_item";
  }
  /* As from sshd: a person who did not sign in by PAM has no credentials that it would have to have. */
  calls.setcred(handle, PAM_ESTABLISH_CRED | flags);
  pam_code = calls.open_session(handle, flags);
  if (pam_code != PAM_SUCCESS) return "pam_open_session";
  is_open = 1;
  return NULL;
}

const char *pam_text(void) {
  char *text = strdup(said);
  said_length = 0;
  said[0] = 0;
  return text == NULL ? "" : text;
}

char **pam_words(void) { return calls.getenvlist(handle); }

void pam_finish(void) {
  if (handle == NULL) return;
  if (is_open) {
    pam_code = calls.close_session(handle, 0);
    calls.setcred(handle, PAM_DELETE_CRED);
  }
  is_open = 0;
  calls.end(handle, pam_code);
  handle = NULL;
}
