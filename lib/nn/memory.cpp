// Host memory for tensors, kept for the next ones.  A network's activations are large:
// fresh pages for each of them would cost more than many a layer.
#include "nn/nn_internal.hpp"
#include "nn/plan.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include <sys/mman.h>

#include <c10/core/Allocator.h>

namespace
{

constexpr size_t small = 64u << 10, huge_page = 2u << 20;

// Never destroyed: tensors may be freed when the program ends.
std::mutex &lock = *new std::mutex;
auto &free_blocks = *new std::multimap<size_t, void *>; // by size
size_t free_bytes = 0;

// Kept at most; and a block may serve a request of a quarter of its size.
constexpr size_t most_free = size_t(384) << 20, slack = 4;

// Sizes are rounded up to at most 1/8 more, so that blocks fit again.
size_t rounded(size_t size)
{
    size_t step = 64;
    while (step * 16 < size)
        step *= 2;
    return (size + step - 1) / step * step;
}

void *take_block(size_t size)
{
    std::lock_guard<std::mutex> guard(lock);
    auto found = free_blocks.lower_bound(size);
    if (found == free_blocks.end() || found->first > slack * size)
        return nullptr;
    void *block = found->second;
    free_bytes -= found->first;
    free_blocks.erase(found);
    return block;
}

void free_all_blocks()
{
    std::lock_guard<std::mutex> guard(lock);
    for (auto &block : free_blocks)
        free(block.second);
    free_blocks.clear();
    free_bytes = 0;
}

void *new_block(size_t size)
{
    void *block = nullptr;
    size_t alignment = size >= huge_page ? huge_page : 64;
    if (posix_memalign(&block, alignment, size))
        return nullptr;
    if (size >= huge_page)
        (void)madvise(block, size, MADV_HUGEPAGE);
    return block;
}

// The size stands in a header before the data.
constexpr size_t header = 64;

void give_back(void *data)
{
    if (!data)
        return;
    char *block = static_cast<char *>(data) - header;
    size_t size;
    memcpy(&size, block, sizeof size);
    if (size >= small) {
        try {
            std::lock_guard<std::mutex> guard(lock);
            if (free_bytes + size <= most_free) {
                free_blocks.emplace(size, block);
                free_bytes += size;
                return;
            }
        } catch (...) {
        }
    }
    free(block);
}

void *get_block(size_t bytes)
{
    size_t size = rounded(bytes + header);
    void *block = size >= small ? take_block(size) : nullptr;
    if (block)
        return static_cast<char *>(block) + header; // which has its size still
    block = new_block(size);
    if (!block) {
        free_all_blocks();
        block = new_block(size);
    }
    if (!block)
        throw std::bad_alloc();
    memcpy(block, &size, sizeof size);
    return static_cast<char *>(block) + header;
}

struct reusing_allocator final : c10::Allocator {
#if NN_TORCH_AT_LEAST(2, 3)
    c10::DataPtr allocate(size_t bytes) override
    {
        return allocated(bytes);
    }
    void copy_data(void *to, const void *from, size_t bytes) const override
    {
        memcpy(to, from, bytes);
    }
#else
    c10::DataPtr allocate(size_t bytes) const override
    {
        return allocated(bytes);
    }
#endif
    c10::DeleterFnPtr raw_deleter() const override
    {
        return give_back;
    }

  private:
    static c10::DataPtr allocated(size_t bytes)
    {
        void *data = bytes ? get_block(bytes) : nullptr;
        return {data, data, give_back, c10::Device(c10::DeviceType::CPU)};
    }
};

} // namespace

void nn_reuse_memory(void)
{
    (void)nn::run([] {
        static reusing_allocator allocator;
        c10::SetAllocator(c10::DeviceType::CPU, &allocator, 1);
    });
}
