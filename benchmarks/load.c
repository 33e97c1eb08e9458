/* A WebSocket load generator that costs next to nothing itself.
 *
 *   load PORT requests CONNECTIONS PIPELINE MILLISECONDS   connects, prints "ready", measures at
 *                                    once and prints answers/s and latencies as one JSON line
 *   load PORT fanout SUBSCRIBERS     subscribes, prints "ready"; for each line N on the input lets
 *                                    the server mine N times and prints deliveries/s of each
 *   load PORT idle CONNECTIONS       connects, prints "ready", holds until the input ends
 *
 * It polls without ever sleeping: a generator that sleeps makes the server pay for waking it.
 * Masks are not zero; frames of servers may be split anywhere; pings are answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE (1 << 18)
#define MAX_LATENCIES (1 << 22)
#define STALL_S 20.0

typedef struct {
    int fd;
    int outstanding;        /* answers still to come before the next burst */
    int kept;               /* bytes of an unfinished header in `head` */
    unsigned char head[10];
    uint64_t skip;          /* payload bytes of the current frame still to come */
    int opcode;             /* of the current frame */
    double sent_at;
} connection;

static int port;
static int poller;
static unsigned char buffer[READ_SIZE];

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Writes one masked text frame at `out` and returns its length. */
static int put_frame(unsigned char *out, const char *text, int opcode) {
    static const unsigned char mask[4] = {0x5a, 0x13, 0xc7, 0x21};
    int size = (int)strlen(text), at = 0;
    out[at++] = 0x80 | opcode;
    if (size < 126) {
        out[at++] = 0x80 | size;
    } else {
        out[at++] = 0xfe;
        out[at++] = size >> 8;
        out[at++] = size & 0xff;
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (int i = 0; i < size; i++) out[at + i] = text[i] ^ mask[i & 3];
    return at + size;
}

static void send_all(int fd, const unsigned char *data, int size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) continue;
            fail("send");
        }
        data += sent;
        size -= sent;
    }
}

static void open_connection(connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    char request[256], answer[4096];
    int one = 1, got = 0;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) fail("socket");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\n\r\n", port);
    send_all(c->fd, (unsigned char *)request, (int)strlen(request));
    do { /* byte by byte, so that nothing behind the header is swallowed */
        ssize_t n = recv(c->fd, answer + got, 1, 0);
        if (n <= 0 || got > 4000) fail("handshake");
        got += n;
    } while (got < 4 || memcmp(answer + got - 4, "\r\n\r\n", 4));
    if (strncmp(answer, "HTTP/1.1 101", 12)) fail("handshake refused");
}

static void watch(connection *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
}

/* Reads what is there and returns how many whole text frames ended in it. */
static int read_frames(connection *c) {
    ssize_t got = recv(c->fd, buffer, sizeof buffer, 0);
    int done = 0;
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) fail("the server closed a connection");
    for (unsigned char *at = buffer, *end = buffer + got; at < end;) {
        if (c->skip > 0) {
            uint64_t part = (uint64_t)(end - at) < c->skip ? (uint64_t)(end - at) : c->skip;
            at += part;
            c->skip -= part;
        } else {
            c->head[c->kept++] = *at++;
            int small = c->kept > 1 ? c->head[1] & 0x7f : 0;
            int need = small == 126 ? 4 : small == 127 ? 10 : 2;
            if (c->kept < need) continue;
            uint64_t size = small;
            if (need > 2) {
                size = 0;
                for (int i = 2; i < need; i++) size = size << 8 | c->head[i];
            }
            c->opcode = c->head[0] & 0x0f;
            c->skip = size;
            c->kept = 0;
        }
        if (c->skip == 0 && c->kept == 0) {
            if (c->opcode == 1) done++;
            if (c->opcode == 8) fail("the server sent a close frame");
            if (c->opcode == 9) {
                unsigned char pong[16];
                send_all(c->fd, pong, put_frame(pong, "", 10));
            }
        }
    }
    return done;
}

/* Waits for one answer on a connection that is not watched. */
static void await_one(connection *c) {
    while (read_frames(c) == 0) {}
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void run_requests(int count, int pipeline, double seconds) {
    connection *all = calloc(count, sizeof *all);
    float *latencies = malloc(MAX_LATENCIES * sizeof *latencies);
    unsigned char burst[1 << 16];
    struct epoll_event events[1024];
    int size = 0, bursts = 0;
    long answers = 0;
    for (int i = 0; i < pipeline; i++)
        size += put_frame(burst + size,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_blockNumber\",\"params\":[]}", 1);
    for (int i = 0; i < count; i++) open_connection(&all[i]);
    for (int i = 0; i < count; i++) watch(&all[i]);
    puts("ready");
    fflush(stdout);
    double start = now(), end = start + seconds, last = start;
    for (int i = 0; i < count; i++) {
        all[i].outstanding = pipeline;
        all[i].sent_at = now();
        send_all(all[i].fd, burst, size);
    }
    for (double at = start; at < end; at = now()) {
        int ready = epoll_wait(poller, events, 1024, 0);
        if (ready > 0) last = at;
        if (at - last > STALL_S) fail("no answers");
        for (int i = 0; i < ready; i++) {
            connection *c = events[i].data.ptr;
            int done = read_frames(c);
            answers += done;
            c->outstanding -= done;
            if (c->outstanding > 0) continue;
            double moment = now();
            if (bursts < MAX_LATENCIES) latencies[bursts++] = moment - c->sent_at;
            c->outstanding = pipeline;
            c->sent_at = moment;
            send_all(c->fd, burst, size);
        }
    }
    double taken = now() - start;
    qsort(latencies, bursts, sizeof *latencies, ascending);
    printf("{\"answers\":%ld,\"per_second\":%.1f,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"max_ms\":%.4f}\n",
           answers, answers / taken, latencies[bursts / 2] * 1e3, latencies[(long)(bursts * 0.99)] * 1e3,
           latencies[bursts - 1] * 1e3);
}

/* Answers the pings of the connections that are watched. */
static void answer_pings(void) {
    struct epoll_event events[1024];
    int ready = epoll_wait(poller, events, 1024, 0);
    for (int i = 0; i < ready; i++) read_frames(events[i].data.ptr);
}

/* Waits for something to read on the input; here sleeping is the point. */
static void await_input(void) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    while (poll(&input, 1, 100) == 0) answer_pings();
}

static void run_fanout(int count) {
    connection *all = calloc(count, sizeof *all), control;
    unsigned char subscribe[256], mine[256];
    char line[64];
    struct epoll_event events[1024];
    int subscribe_size = put_frame(subscribe,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"newHeads\"]}", 1);
    int mine_size = put_frame(mine,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"evm_mine\",\"params\":[]}", 1);
    open_connection(&control);
    for (int i = 0; i < count; i++) {
        open_connection(&all[i]);
        send_all(all[i].fd, subscribe, subscribe_size);
        await_one(&all[i]);
        watch(&all[i]);
        if (i % 64 == 0) answer_pings();
    }
    watch(&control);
    puts("ready");
    fflush(stdout);
    for (await_input(); fgets(line, sizeof line, stdin); await_input()) {
        int rounds = atoi(line);
        printf("[");
        for (int round = 0; round < rounds; round++) {
            double first = 0, last = now();
            int delivered = 0, answered = 0;
            send_all(control.fd, mine, mine_size);
            while (delivered < count || !answered) {
                int ready = epoll_wait(poller, events, 1024, 0);
                if (ready == 0 && now() - last > STALL_S) fail("deliveries stopped");
                for (int i = 0; i < ready; i++) {
                    connection *c = events[i].data.ptr;
                    int done = read_frames(c);
                    if (c == &control) {
                        answered += done;
                    } else if (done) {
                        delivered += done;
                        last = now();
                        if (first == 0) first = last;
                    }
                }
            }
            printf("%s%.1f", round ? "," : "", count / (last - first));
        }
        printf("]\n");
        fflush(stdout);
    }
}

static void run_idle(int count) {
    connection *all = calloc(count, sizeof *all);
    for (int i = 0; i < count; i++) {
        open_connection(&all[i]);
        watch(&all[i]);
        if (i % 64 == 0) answer_pings();
    }
    puts("ready");
    fflush(stdout);
    await_input();
}

int main(int argc, char **argv) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    if (argc < 4) {
        fprintf(stderr, "usage: load PORT requests|fanout|idle CONNECTIONS [PIPELINE MS]\n");
        return 2;
    }
    port = atoi(argv[1]);
    int count = atoi(argv[3]);
    if (!strcmp(argv[2], "requests") && argc == 6)
        run_requests(count, atoi(argv[4]), atoi(argv[5]) / 1e3);
    else if (!strcmp(argv[2], "fanout"))
        run_fanout(count);
    else if (!strcmp(argv[2], "idle"))
        run_idle(count);
    else
        return 2;
    return 0;
}
