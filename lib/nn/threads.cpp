// Threads: how many there are, and how they wait for each other.
#include "nn/internal.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>

#include <dirent.h>
#include <dlfcn.h>
#include <omp.h>

#include <ATen/Parallel.h>

namespace
{

// libgomp's threads spin for milliseconds where they wait for each other, but hardly
// at all while it has more threads than there are processors (libgomp's manual,
// GOMP_SPINCOUNT).  This gives it as many more as that takes, asleep.
class idle_team
{
  public:
    explicit idle_team(int threads) : holder_([this, threads] { hold(threads); })
    {
    }

    ~idle_team()
    {
        {
            std::lock_guard<std::mutex> guard(lock_);
            over_ = true;
        }
        end_.notify_one();
        holder_.join();
    }

  private:
    void hold(int threads)
    {
#pragma omp parallel num_threads(threads)
        {
            std::lock_guard<std::mutex> guard(lock_);
            started_++;
        }
        std::unique_lock<std::mutex> guard(lock_);
        end_.wait(guard, [this] { return over_; });
    }

    std::mutex lock_;
    std::condition_variable end_;
    bool over_ = false;
    int started_ = 0;    // a region that does nothing would be compiled away
    std::thread holder_; // the last: it uses the others
};

// Seconds that a thread was ready to run and had no processor; 0 when it is not told.
double seconds_awaited(const char *task)
{
    char path[300];
    unsigned long long ran, awaited;
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int read = fscanf(file, "%llu %llu", &ran, &awaited);
    fclose(file);
    return read == 2 ? 1e-9 * static_cast<double>(awaited) : 0;
}

// The same of all threads there are.
double seconds_awaited()
{
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        return 0;
    double sum = 0;
    while (const dirent *task = readdir(tasks))
        if (task->d_name[0] != '.')
            sum += seconds_awaited(task->d_name);
    closedir(tasks);
    return sum;
}

double seconds_run()
{
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr double least = 0.02; // seconds of work that tell something
constexpr double crowded = 0.15;
constexpr int calm_enough = 8;

// What nn_mind_others saw at its last look.
struct {
    double run, awaited;
    int calm; // looks since it was crowded
    idle_team *team;
} seen;

void sleep_while_waiting(bool now)
{
    if (now && !seen.team)
        seen.team = new idle_team(std::max(2, omp_get_num_procs() - at::get_num_threads() + 2));
    if (!now) {
        delete seen.team;
        seen.team = nullptr;
    }
}

// OpenBLAS, where libtorch has it, may have threads of its own, which do not hear of OpenMP's.
void set_blas_threads(int threads)
{
    auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
    if (set)
        set(threads);
}

} // namespace

int nn_set_threads(int threads)
{
    return nn::run([&] {
        int number = threads > 0 ? threads : omp_get_num_procs();
        at::set_num_threads(number);
        set_blas_threads(number);
    });
}

int nn_threads(void)
{
    return at::get_num_threads();
}

void nn_mind_others(void)
{
    double run = seconds_run() - seen.run;
    if (at::get_num_threads() < 2 || run < least)
        return;
    double awaited = seconds_awaited(), more = std::max(awaited - seen.awaited, 0.0);
    bool is_crowded = more > crowded * (more + run);
    seen.calm = is_crowded ? 0 : seen.calm + 1;
    seen.run += run;
    seen.awaited = awaited;
    if (is_crowded || seen.calm >= calm_enough)
        (void)nn::run([&] { sleep_while_waiting(is_crowded); });
}
