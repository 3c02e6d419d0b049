// What of libtorch most files of lib/nn need, to be compiled once (Makefile).
#ifndef NN_TORCH_HPP
#define NN_TORCH_HPP

#include <ATen/ATen.h>
#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/version.h>

#endif
