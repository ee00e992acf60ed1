// curl_limit: the limit that Divert is held against. A plain C loop on libcurl's multi interface that does nothing but
// send N JSON POSTs on kept-alive connections with reused easy handles, and says as JSON what one request costs.
//
//   curl_limit --url http://127.0.0.1:PORT/PATH --requests N [--connections C] [--bytes B] [--body fields|read]
//
// libcurl repeats a POST by itself when a reused connection dies; no sender may allow that, so neither does this one:
//   fields  (the default) the bytes are handed to libcurl, which sends head and body in one write; the callback before
//           a request leaves (CURLOPT_PREREQFUNCTION) aborts the transfer when it is called a second time.
//   read    the body comes through a read callback whose seek fails; libcurl writes head and body apart, which costs
//           a second system call here and a second wake-up at the target.
// The order within the loop matters: after `curl_multi_perform` drain the messages, and if there was one go round
// again; a poll straight after adding handles can sleep though a transfer has ended meanwhile.

#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CONNECTIONS_MAX = 1024, BYTES_MAX = 64 * 1024, GIVE_UP_SECONDS = 300 };

typedef struct {
  CURL *easy;
  size_t sent;     // bytes that the read callback has given
  int departures;  // how often a request of this transfer was about to leave
} Transfer;

static const char *url;
static uint64_t requests, connection_count = 64, body_length = 600;
static char body[BYTES_MAX];
static Transfer transfers[CONNECTIONS_MAX];
static uint64_t started, ok, failed;
static bool through_callback;

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// MARK: - Callbacks

static size_t give_body(char *to, size_t size, size_t count, void *context) {
  Transfer *t = context;
  size_t left = body_length - t->sent, room = size * count, n = left < room ? left : room;
  memcpy(to, body + t->sent, n);
  t->sent += n;
  return n;
}

static int refuse_seek(void *context, curl_off_t offset, int origin) {
  (void)context, (void)offset, (void)origin;
  return CURL_SEEKFUNC_FAIL;
}

static int refuse_repeat(void *context, char *to, char *from, int to_port, int from_port) {
  (void)to, (void)from, (void)to_port, (void)from_port;
  Transfer *t = context;
  return t->departures++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t drop_answer(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes, (void)context;
  return size * count;
}

// MARK: - Transfers

static void prepare_body(void) {
  int n = snprintf(body, sizeof body, "{\"event\":\"CALL_REJECTED\",\"filler\":\"");
  memset(body + n, 'x', body_length - (size_t)n);
  memcpy(body + body_length - 2, "\"}", 2);
}

static void prepare(Transfer *t, struct curl_slist *headers) {
  t->easy = curl_easy_init();
  if (t->easy == NULL) exit(1);
  curl_easy_setopt(t->easy, CURLOPT_URL, url);
  curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
  curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_length);
  curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, headers);
  if (through_callback) {
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, refuse_seek);
  } else {
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, refuse_repeat);
    curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
  }
  curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, drop_answer);
  curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, 30000L);
  curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
}

static void start(CURLM *multi, Transfer *t) {
  t->sent = 0;
  t->departures = 0;
  started += 1;
  curl_multi_add_handle(multi, t->easy);
}

// Takes all finished transfers and gives their handles the next requests: true if there was one.
static bool drain(CURLM *multi) {
  CURLMsg *message;
  int left;
  bool any = false;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL *easy = message->easy_handle;
    CURLcode result = message->data.result;
    Transfer *t = NULL;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK && status == 200) {
      ok += 1;
    } else {
      if (failed++ == 0) fprintf(stderr, "curl_limit: %s (status %ld)\n", curl_easy_strerror(result), status);
    }
    curl_multi_remove_handle(multi, easy);
    if (started < requests) start(multi, t);
    any = true;
  }
  return any;
}

static void run(CURLM *multi, double give_up) {
  int running = 0;
  while (ok + failed < requests && seconds_now() < give_up) {
    curl_multi_perform(multi, &running);
    if (drain(multi)) continue;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

// MARK: - Options and report

static int usage(void) {
  fprintf(stderr,
          "usage: curl_limit --url http://127.0.0.1:PORT/PATH --requests N [--connections C] [--bytes B] "
          "[--body fields|read]\n");
  return 2;
}

static bool read_options(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    uint64_t number = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--url") == 0) url = argv[i + 1];
    else if (strcmp(argv[i], "--requests") == 0) requests = number;
    else if (strcmp(argv[i], "--connections") == 0) connection_count = number;
    else if (strcmp(argv[i], "--bytes") == 0) body_length = number;
    else if (strcmp(argv[i], "--body") == 0) through_callback = strcmp(argv[i + 1], "read") == 0;
    else return false;
  }
  return argc % 2 == 1 && url != NULL && strncmp(url, "http://127.", 11) == 0 && requests > 0 && connection_count > 0 &&
         connection_count <= CONNECTIONS_MAX && body_length >= 64 && body_length <= BYTES_MAX;
}

int main(int argc, char **argv) {
  if (!read_options(argc, argv)) return usage();
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  if (multi == NULL) return 1;
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  prepare_body();

  double wall = seconds_now(), cpu = cpu_seconds();
  for (uint64_t i = 0; i < connection_count; i++) {
    prepare(&transfers[i], headers);
    if (started < requests) start(multi, &transfers[i]);
  }
  run(multi, wall + GIVE_UP_SECONDS);
  wall = seconds_now() - wall;
  cpu = cpu_seconds() - cpu;

  uint64_t done = ok + failed;
  printf("{\"libcurl\":\"%s\",\"requests\":%llu,\"ok\":%llu,\"failed\":%llu,\"connections\":%llu,\"body_bytes\":%llu,"
         "\"body\":\"%s\",\"seconds\":%.6f,\"per_second\":%.1f,\"cpu_us_per_request\":%.3f}\n",
         curl_version_info(CURLVERSION_NOW)->version, (unsigned long long)requests, (unsigned long long)ok,
         (unsigned long long)failed, (unsigned long long)connection_count, (unsigned long long)body_length,
         through_callback ? "read" : "fields", wall,
         (double)done / wall, done > 0 ? cpu * 1e6 / (double)done : 0);
  for (uint64_t i = 0; i < connection_count; i++) {
    curl_multi_remove_handle(multi, transfers[i].easy);
    curl_easy_cleanup(transfers[i].easy);
  }
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return ok == requests ? 0 : 1;
}
