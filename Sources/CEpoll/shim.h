// epoll and eventfd, which Swift's Glibc module leaves out. Headers of the C library alone: no code of ours.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
