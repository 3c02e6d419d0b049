/* Gaussian smoothing of float images. */
#ifndef PIXELS_GAUSSIAN_H
#define PIXELS_GAUSSIAN_H

#include <stddef.h>

#include "core/err.h"

/* Smooths H x W x C in place, each channel by itself, with a kernel cut at three
 * standard deviations (at most 128 pixels); edge pixels are repeated.  A sigma
 * below 0.1 changes nothing. */
int gaussian_blur(float *data, size_t height, size_t width, size_t channels, double sigma,
                  struct err *err) MUST_CHECK;

#endif
