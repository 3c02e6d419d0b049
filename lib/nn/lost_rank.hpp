// What the collectives of group.cpp throw, wherever they are called from: in a layer's
// forward pass, its gradient, or by name.
#ifndef NN_LOST_RANK_HPP
#define NN_LOST_RANK_HPP

#include <stdexcept>
#include <string>

namespace nn
{

struct lost_rank : std::runtime_error {
    explicit lost_rank(const std::string &why) : std::runtime_error("another rank is lost: " + why)
    {
    }
};

} // namespace nn

#endif
