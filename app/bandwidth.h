/* bandwidth.h - how fast this machine's memory can be read. */
#ifndef APP_BANDWIDTH_H
#define APP_BANDWIDTH_H

/* Bytes per second that n_threads together read from a buffer no cache holds; 0 threads: as many as
 * the process may use. The best of several passes: what the machine can do, not what it did. */
double bandwidth_measure(int n_threads);

#endif
