// Host memory for tensors, kept for the next ones.  A network's activations are large:
// fresh pages for each of them would cost more than many a layer.
#include "nn/internal.hpp"
#include "nn/plan.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <utility>

#include <sys/mman.h>

#include <c10/core/Allocator.h>

namespace
{

constexpr size_t small = 64u << 10, page = 4096;

// Large blocks lie in one range of addresses that is taken page by page from its
// beginning, and free neighbors become one: it grows to little more than what is
// ever used at once.  What is beyond this, or cannot be reserved, is malloc's.
constexpr size_t range_size = size_t(1) << 40;

class range
{
  public:
    range()
    {
        void *p = mmap(nullptr, range_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0);
        begin_ = p == MAP_FAILED ? nullptr : static_cast<char *>(p);
        if (begin_)
            (void)madvise(begin_, range_size, MADV_HUGEPAGE);
    }

    bool holds(const void *p) const
    {
        auto c = static_cast<const char *>(p);
        return begin_ && c >= begin_ && c < begin_ + range_size;
    }

    // nullptr when there is no more.
    void *take(size_t size)
    {
        auto found = by_size_.lower_bound({size, 0});
        if (found == by_size_.end() && !grow(size))
            return nullptr;
        found = by_size_.lower_bound({size, 0});
        size_t at = found->second, room = found->first;
        forget(at, room);
        if (room > size)
            remember(at + size, room - size);
        return begin_ + at;
    }

    void give_back(void *p, size_t size)
    {
        size_t at = static_cast<size_t>(static_cast<char *>(p) - begin_);
        auto next = by_place_.lower_bound(at);
        if (next != by_place_.end() && next->first == at + size) {
            size_t more = next->second;
            forget(at + size, more);
            size += more;
        }
        auto before = by_place_.lower_bound(at);
        if (before != by_place_.begin() && (--before)->first + before->second == at) {
            size_t start = before->first;
            size += before->second;
            forget(start, before->second);
            at = start;
        }
        remember(at, size);
    }

  private:
    void remember(size_t at, size_t size)
    {
        by_place_.emplace(at, size);
        by_size_.emplace(size, at);
    }

    void forget(size_t at, size_t size)
    {
        by_place_.erase(at);
        by_size_.erase({size, at});
    }

    // So much more at the end that a free block of `size` is there.
    bool grow(size_t size)
    {
        constexpr size_t step = size_t(2) << 20;
        auto last = by_place_.rbegin();
        bool free_end = last != by_place_.rend() && last->first + last->second == end_;
        size_t have = free_end ? last->second : 0;
        size_t more = (size - have + step - 1) / step * step;
        if (!begin_ || more > range_size - end_ ||
            mprotect(begin_ + end_, more, PROT_READ | PROT_WRITE))
            return false;
        end_ += more;
        give_back(begin_ + end_ - more, more);
        return true;
    }

    char *begin_;
    size_t end_ = 0;                              // of what may be used
    std::map<size_t, size_t> by_place_;           // free: where, size
    std::set<std::pair<size_t, size_t>> by_size_; // free: size, where
};

// Never destroyed: tensors may be freed when the program ends.
std::mutex &lock = *new std::mutex;

range &blocks()
{
    static range &r = *new range;
    return r;
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
    if (!blocks().holds(block)) {
        free(block);
        return;
    }
    try {
        std::lock_guard<std::mutex> guard(lock);
        blocks().give_back(block, size);
    } catch (...) { // no memory to remember it by
    }
}

void *new_block(size_t size)
{
    if (size >= small) {
        std::lock_guard<std::mutex> guard(lock);
        if (void *block = blocks().take(size))
            return block;
    }
    void *block = nullptr;
    return posix_memalign(&block, 64, size) ? nullptr : block;
}

void *get_block(size_t bytes)
{
    size_t step = bytes >= small ? page : 64, size = (bytes + header + step - 1) / step * step;
    void *block = size < bytes ? nullptr : new_block(size);
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
