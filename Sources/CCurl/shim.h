// What Swift cannot import of libcurl: its variadic functions, one typed door for each kind of argument, and the
// options that only newer headers name. Nothing else belongs here.
#pragma once
#include <curl/curl.h>

// curl_easy_setopt is variadic, and Swift imports no variadic C function. A wrong type here is undefined behaviour in
// libcurl, so each argument type has its own door: numbers, bytes (a string or a list that libcurl copies or keeps),
// and one for each callback's signature.

static inline CURLcode divert_easy_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode divert_easy_set_size(CURL *easy, CURLoption option, curl_off_t value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode divert_easy_set_string(CURL *easy, CURLoption option, const char *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode divert_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode divert_easy_set_on_write(CURL *easy, CURLoption option, curl_write_callback callback) {
  return curl_easy_setopt(easy, option, callback);
}

static inline CURLcode divert_easy_set_on_socket(CURL *easy, curl_opensocket_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}

static inline CURLcode divert_easy_set_on_request(CURL *easy, curl_prereq_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode divert_easy_set_on_resolve(CURL *easy, curl_resolver_start_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, callback);
}

static inline CURLcode divert_easy_set_on_close(CURL *easy, curl_closesocket_callback callback) {
  return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
}

// HTTP and HTTPS only. CURLOPT_PROTOCOLS_STR came with 7.85, where CURLOPT_PROTOCOLS became deprecated; Ubuntu 22.04
// has 7.81.
static inline CURLcode divert_easy_only_http(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

// A resolver that hangs is abandoned, not waited for. The option came with 7.87; without it a removal may block.
static inline CURLcode divert_easy_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
  (void)easy;
  return CURLE_OK;
#endif
}

// Reading the bundle of trusted certificates costs 20 to 30 ms of CPU, for every new TLS connection. From 7.87 on a
// multi handle keeps the parsed bundle (CURLOPT_CA_CACHE_TIMEOUT, 24 h), but only when no folder of certificates is
// named beside it; so the folder is left out where there is a bundle. (CURLINFO_CAINFO came with 7.84.)
static inline CURLcode divert_easy_cache_trust(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
  char *bundle = NULL;
  if(curl_easy_getinfo(easy, CURLINFO_CAINFO, &bundle) == CURLE_OK && bundle)
    return curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
#endif
  (void)easy;
  return CURLE_OK;
}

// curl_easy_getinfo is variadic too: one door for each type that it writes. 0 or NULL where it has nothing to tell.

static inline long divert_easy_get_long(CURL *easy, CURLINFO info) {
  long value = 0;
  return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static inline curl_off_t divert_easy_get_size(CURL *easy, CURLINFO info) {
  curl_off_t value = 0;
  return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

static inline void *divert_easy_get_private(CURL *easy) {
  char *value = NULL;
  return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

// curl_multi_setopt is variadic too: numbers, and the two callbacks with the pointer that each is given.
static inline CURLMcode divert_multi_set_long(CURLM *multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode divert_multi_set_on_socket(CURLM *multi, curl_socket_callback callback, void *context) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
  return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback) : code;
}

static inline CURLMcode divert_multi_set_on_timer(CURLM *multi, curl_multi_timer_callback callback, void *context) {
  CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
  return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback) : code;
}

// CURL_GLOBAL_DEFAULT is an expression of casts in a macro, which Swift does not import.
static inline CURLcode divert_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
