/*
 * libssh, as its users write it. See test/support/ssh-clients.ts for what a client program is told and
 * says. Built by build.sh.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <libssh/sftp.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 8000

static char *told;
static char heard[8192];
static char why[512];

/* The value of a flat JSON object's field, without quotes. NULL: null, or not there. */
static char *field(const char *name) {
    char mark[64];
    snprintf(mark, sizeof mark, "\"%s\":", name);
    char *at = strstr(told, mark);
    if (at == NULL) return NULL;
    at += strlen(mark);
    if (strncmp(at, "null", 4) == 0) return NULL;
    int is_text = *at == '"';
    at += is_text;
    return strndup(at, strcspn(at, is_text ? "\"" : ",}"));
}

static char *in_dir(const char *name) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", field("dir"), name) < 0) abort();
    return path;
}

static int fail(const char *format, ...) {
    va_list words;
    va_start(words, format);
    vsnprintf(why, sizeof why, format, words);
    va_end(words);
    return -1;
}

static int equal(const char *found, const char *wanted) {
    return strcmp(found, wanted) == 0 ? 0 : fail("\"%.80s\", not \"%s\"", found, wanted);
}

static char *trimmed(char *text) {
    size_t length = strlen(text);
    while (length > 0 && strchr(" \r\n", text[length - 1]) != NULL) text[--length] = 0;
    return text + strspn(text, " ");
}

static void print_escaped(const char *text) {
    for (; *text != 0; text++)
        if ((unsigned char)*text < 32) printf("\\u%04x", *text);
        else printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void ask(const char *instruction, const char *prompt) {
    printf("ASK \"");
    print_escaped(instruction);
    putchar(' ');
    print_escaped(prompt);
    printf("\"\n");
    fflush(stdout);
}

static int by_asking(ssh_session ssh) {
    int state = ssh_userauth_kbdint(ssh, NULL, NULL);
    while (state == SSH_AUTH_INFO) {
        const char *instruction = ssh_userauth_kbdint_getinstruction(ssh);
        if (instruction != NULL) strncat(heard, instruction, sizeof heard - strlen(heard) - 1);
        if (ssh_userauth_kbdint_getnprompts(ssh) > 0) {
            char line[256] = "";
            ask(instruction == NULL ? "" : instruction, ssh_userauth_kbdint_getprompt(ssh, 0, NULL));
            if (fgets(line, sizeof line, stdin) == NULL) return SSH_AUTH_ERROR;
            ssh_userauth_kbdint_setanswer(ssh, 0, trimmed(line));
        }
        state = ssh_userauth_kbdint(ssh, NULL, NULL);
    }
    return state;
}

static int by_key(ssh_session ssh, const char *path) {
    ssh_key key = NULL;
    if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK) return SSH_AUTH_ERROR;
    int state = ssh_userauth_publickey(ssh, NULL, key);
    ssh_key_free(key);
    return state;
}

/* Connects and signs in. What became of the sign-in is told by `state`. */
static ssh_session enter(const char *user, int *state) {
    ssh_session ssh = ssh_new();
    unsigned int port = atoi(field("port"));
    /* tryRekey carries more than this. */
    uint64_t rekey_bytes = 1 << 20;
    long seconds = 10;
    ssh_options_set(ssh, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(ssh, SSH_OPTIONS_PORT, &port);
    ssh_options_set(ssh, SSH_OPTIONS_USER, user);
    ssh_options_set(ssh, SSH_OPTIONS_TIMEOUT, &seconds);
    ssh_options_set(ssh, SSH_OPTIONS_REKEY_DATA, &rekey_bytes);
    int no = 0;
    ssh_options_set(ssh, SSH_OPTIONS_PROCESS_CONFIG, &no);
    if (ssh_connect(ssh) != SSH_OK) {
        fail("%s", ssh_get_error(ssh));
        *state = SSH_AUTH_ERROR;
        return ssh;
    }
    char *key = field("key");
    *state = key == NULL ? by_asking(ssh) : by_key(ssh, key);
    if (*state != SSH_AUTH_SUCCESS) fail("%s", ssh_get_error(ssh));
    return ssh;
}

static ssh_channel session_of(ssh_session ssh) {
    ssh_channel channel = ssh_channel_new(ssh);
    if (channel == NULL || ssh_channel_open_session(channel) != SSH_OK) {
        fail("no session: %s", ssh_get_error(ssh));
        return NULL;
    }
    return channel;
}

/* All that comes until the end, as text that the caller frees. */
static char *read_all(ssh_channel channel, size_t *length) {
    size_t room = 1 << 16, size = 0;
    char *text = malloc(room);
    for (;;) {
        if (size + 32768 > room) text = realloc(text, room *= 2);
        int count = ssh_channel_read_timeout(channel, text + size, 32767, 0, WAIT_MS);
        if (count <= 0) break;
        size += count;
    }
    text[size] = 0;
    if (length != NULL) *length = size;
    return text;
}

static int done(ssh_channel channel, int outcome) {
    ssh_channel_close(channel);
    ssh_channel_free(channel);
    return outcome;
}

static int try_exec(ssh_session ssh) {
    ssh_channel channel = session_of(ssh);
    if (channel == NULL) return -1;
    if (ssh_channel_request_exec(channel, "echo out; echo err >&2; exit 7") != SSH_OK)
        return done(channel, fail("no exec: %s", ssh_get_error(ssh)));
    int outcome = equal(read_all(channel, NULL), "out\n");
    int status = ssh_channel_get_exit_status(channel);
    if (outcome == 0 && status != 7) outcome = fail("status %d, not 7", status);
    return done(channel, outcome);
}

static int try_stdin(ssh_session ssh) {
    static char bytes[300000];
    memset(bytes, 'x', sizeof bytes);
    ssh_channel channel = session_of(ssh);
    if (channel == NULL) return -1;
    if (ssh_channel_request_exec(channel, "wc -c") != SSH_OK) return done(channel, fail("no exec"));
    if (ssh_channel_write(channel, bytes, sizeof bytes) != (int)sizeof bytes)
        return done(channel, fail("no write: %s", ssh_get_error(ssh)));
    ssh_channel_send_eof(channel);
    return done(channel, equal(trimmed(read_all(channel, NULL)), "300000"));
}

static int try_pty(ssh_session ssh) {
    ssh_channel channel = session_of(ssh);
    if (channel == NULL) return -1;
    if (ssh_channel_request_pty_size(channel, "xterm", 101, 31) != SSH_OK) return done(channel, fail("no pty"));
    if (ssh_channel_request_exec(channel, "tty >/dev/null && stty size") != SSH_OK)
        return done(channel, fail("no exec"));
    return done(channel, equal(trimmed(read_all(channel, NULL)), "31 101"));
}

static int carry_files(sftp_session files) {
    static char bytes[100000];
    char *a = in_dir("a"), *b = in_dir("b"), *link = in_dir("link");
    sftp_file file = sftp_open(files, a, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file == NULL) return fail("no open: %d", sftp_get_error(files));
    if (sftp_write(file, bytes, sizeof bytes) != (ssize_t)sizeof bytes) return fail("no write");
    sftp_close(file);
    if (sftp_rename(files, a, b) != SSH_OK) return fail("no rename: %d", sftp_get_error(files));
    if (sftp_symlink(files, "b", link) != SSH_OK) return fail("no symlink: %d", sftp_get_error(files));
    char *target = sftp_readlink(files, link);
    if (target == NULL || equal(target, "b") != 0) return target == NULL ? fail("no readlink") : -1;
    sftp_attributes stat = sftp_stat(files, link);
    if (stat == NULL || stat->size != sizeof bytes) return fail("the link leads to another file");
    sftp_attributes_free(stat);
    if (sftp_unlink(files, link) != SSH_OK || sftp_unlink(files, b) != SSH_OK) return fail("no unlink");
    return 0;
}

static int try_sftp(ssh_session ssh) {
    sftp_session files = sftp_new(ssh);
    if (files == NULL || sftp_init(files) != SSH_OK) return fail("no sftp: %s", ssh_get_error(ssh));
    int outcome = carry_files(files);
    sftp_free(files);
    return outcome;
}

static int converse(ssh_channel channel) {
    ssh_channel_write(channel, "hello ", 6);
    ssh_channel_send_eof(channel);
    return done(channel, equal(read_all(channel, NULL), "hello bye"));
}

static int try_local(ssh_session ssh) {
    ssh_channel channel = ssh_channel_new(ssh);
    if (ssh_channel_open_forward(channel, "127.0.0.1", atoi(field("echoPort")), "127.0.0.1", 1) != SSH_OK)
        return done(channel, fail("%s", ssh_get_error(ssh)));
    return converse(channel);
}

static int try_unix_local(ssh_session ssh) {
    ssh_channel channel = ssh_channel_new(ssh);
    if (ssh_channel_open_forward_unix(channel, field("echoPath"), "127.0.0.1", 1) != SSH_OK)
        return done(channel, fail("%s", ssh_get_error(ssh)));
    return converse(channel);
}

/* Another process that connects to `port`, and ends with 0 once it has read what was meant for it. */
static pid_t listen_from_elsewhere(int port) {
    pid_t child = fork();
    if (child != 0) return child;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    char text[64] = "";
    size_t size = 0;
    ssize_t count;
    if (connect(stream, (struct sockaddr *)&to, sizeof to) != 0) _exit(2);
    while (size < sizeof text - 1 && (count = read(stream, text + size, sizeof text - 1 - size)) > 0) size += count;
    _exit(strcmp(text, "from here") == 0 ? 0 : 1);
}

static int try_remote(ssh_session ssh) {
    int port = 0, status = -1;
    if (ssh_channel_listen_forward(ssh, "0.0.0.0", 0, &port) != SSH_OK) return fail("%s", ssh_get_error(ssh));
    pid_t child = listen_from_elsewhere(port);
    ssh_channel channel = ssh_channel_open_forward_port(ssh, WAIT_MS, NULL, NULL, NULL);
    if (channel != NULL) {
        ssh_channel_write(channel, "from here", 9);
        ssh_channel_send_eof(channel);
        done(channel, 0);
    }
    waitpid(child, &status, 0);
    ssh_channel_cancel_forward(ssh, "0.0.0.0", port);
    return channel != NULL && status == 0 ? 0 : fail("what came to the port: %d", status);
}

static int try_keepalive(ssh_session ssh) {
    for (int i = 0; i < 3; i++)
        if (ssh_send_keepalive(ssh) != SSH_OK) return fail("%s", ssh_get_error(ssh));
    return try_exec(ssh);
}

static int try_rekey(ssh_session ssh) {
    size_t length = 0;
    ssh_channel channel = session_of(ssh);
    if (channel == NULL) return -1;
    if (ssh_channel_request_exec(channel, "head -c 6000000 /dev/zero") != SSH_OK) return done(channel, fail("no exec"));
    free(read_all(channel, &length));
    return done(channel, length == 6000000 ? 0 : fail("%zu bytes, not 6000000", length));
}

/* Here from there, byte for byte, while keys change. */
static int try_transfer(ssh_session ssh) {
    char *path = field("file"), *command = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL || asprintf(&command, "cat %s", path) < 0) return fail("no file");
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file), length = 0;
    rewind(file);
    char *wanted = malloc(size);
    if (fread(wanted, 1, size, file) != size) return fail("no file");
    fclose(file);
    ssh_channel channel = session_of(ssh);
    if (channel == NULL) return -1;
    if (ssh_channel_request_exec(channel, command) != SSH_OK) return done(channel, fail("no exec"));
    char *found = read_all(channel, &length);
    int is_same = length == size && memcmp(found, wanted, size) == 0;
    if (!is_same) fail("other bytes came, %zu of them", length);
    free(found);
    free(wanted);
    free(command);
    return done(channel, is_same ? 0 : -1);
}

static int try_refusal(ssh_session ssh) {
    ssh_channel channel = ssh_channel_new(ssh);
    if (ssh_channel_open_forward(channel, "127.0.0.1", 1, "127.0.0.1", 1) == SSH_OK)
        return done(channel, fail("it was not refused"));
    ssh_channel_free(channel);
    return strstr(ssh_get_error(ssh), "Channel opening failure") != NULL ? 0 : fail("%s", ssh_get_error(ssh));
}

static int try_denial(ssh_session unused) {
    (void)unused;
    int state;
    heard[0] = 0;
    ssh_session ssh = enter(field("deniedUser"), &state);
    ssh_free(ssh);
    if (state != SSH_AUTH_DENIED) return state == SSH_AUTH_SUCCESS ? fail("it was let in") : -1;
    char *says = field("deniedSays");
    return says == NULL || strstr(heard, says) != NULL ? 0 : fail("it heard \"%s\"", heard);
}

static const struct { const char *name; int (*act)(ssh_session); } CHECKS[] = {
    {"exec", try_exec}, {"stdin", try_stdin}, {"pty", try_pty}, {"sftp", try_sftp}, {"-L", try_local},
    {"-R", try_remote}, {"unix -L", try_unix_local}, {"keepalive", try_keepalive}, {"rekey", try_rekey},
    {"refusal", try_refusal}, {"denial", try_denial},
};

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    if (strcmp(argv[1], "--version") == 0) return puts(ssh_version(0)) < 0;
    told = argv[1];
    int state;
    ssh_session ssh = enter(field("user"), &state);
    if (state != SSH_AUTH_SUCCESS) return fprintf(stderr, "%s\n", why), 1;
    char *transfers = field("transfers");
    for (int left = transfers == NULL ? 0 : atoi(transfers); left > 0; left--) {
        printf("transfer: %s\n", try_transfer(ssh) == 0 ? "ok" : why);
        fflush(stdout);
    }
    if (transfers != NULL) return 0;
    for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS; i++) {
        printf("%s: %s\n", CHECKS[i].name, CHECKS[i].act(ssh) == 0 ? "ok" : why);
        fflush(stdout);
    }
    ssh_disconnect(ssh);
    ssh_free(ssh);
    return 0;
}
