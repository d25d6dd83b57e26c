#include "scion/study/jobs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/training/run/run_folder.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

pid_t start_process(const Job& job) {
  fs::create_directories(job.directory);
  const std::string log = RunFiles(job.directory).log();
  std::vector<char*> arguments;
  for (const std::string& argument : job.command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0)
    throw Failure(fmt::format("cannot start a process: {}", std::strerror(errno)),
                  "close other programs");
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // the parent has already ended
  const int descriptor = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor >= 0) {
    dup2(descriptor, STDOUT_FILENO);
    dup2(descriptor, STDERR_FILENO);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string log_tail(const Job& job, size_t lines = 8) {
  const fs::path path = RunFiles(job.directory).log();
  if (!fs::exists(path)) return "";
  const std::string text = read_file(path);
  size_t begin = text.size();
  for (size_t found = 0; begin > 0 && found <= lines; --begin)
    if (text[begin - 1] == '\n' && ++found > lines) break;
  return text.substr(begin);
}

class Pool {
 public:
  Pool(std::vector<Job> jobs, int64_t at_once)
      : jobs_(std::move(jobs)),
        at_once_(at_once),
        pids_(jobs_.size(), 0),
        progress_("study", 1000, "") {}

  ~Pool() {
    for (const pid_t pid : pids_)
      if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
      }
  }

  void run() {
    for (const Job& job : jobs_)
      if (job.done()) finished_.insert(job.name);
    if (!finished_.empty())
      log_info("{} of {} runs are already finished", finished_.size(), jobs_.size());
    while (finished_.size() < jobs_.size()) {
      start_ready();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      reap();
      show();
    }
    progress_.finish();
  }

 private:
  int64_t places_taken() const {
    int64_t taken = 0;
    for (size_t i = 0; i < jobs_.size(); ++i)
      if (pids_[i] > 0) taken += places(jobs_[i]);
    return taken;
  }

  int64_t places(const Job& job) const { return std::min(job.places, at_once_); }

  bool ready(const Job& job) const {
    return std::all_of(job.after.begin(), job.after.end(),
                       [&](const std::string& name) { return finished_.contains(name); });
  }

  void start_ready() {
    for (size_t i = 0; i < jobs_.size(); ++i) {
      const Job& job = jobs_[i];
      if (pids_[i] > 0 || finished_.contains(job.name) || !ready(job)) continue;
      if (places_taken() + places(job) > at_once_) return;
      if (job.prepare) job.prepare();
      pids_[i] = start_process(job);
    }
  }

  void reap() {
    for (size_t i = 0; i < jobs_.size(); ++i) {
      int status = 0;
      if (pids_[i] <= 0 || waitpid(pids_[i], &status, WNOHANG) == 0) continue;
      pids_[i] = 0;
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !jobs_[i].done())
        throw Failure(fmt::format("the run '{}' failed; the end of {}:\n{}", jobs_[i].name,
                                  RunFiles(jobs_[i].directory).log().string(), log_tail(jobs_[i])),
                      "fix the cause and run the same command again: finished runs are kept");
      finished_.insert(jobs_[i].name);
      log_info("{} of {} runs finished: {}", finished_.size(), jobs_.size(), jobs_[i].name);
    }
  }

  void show() {
    double all = 0, done = 0;
    std::vector<std::string> now;
    for (size_t i = 0; i < jobs_.size(); ++i) {
      all += jobs_[i].cost;
      const double share = finished_.contains(jobs_[i].name) ? 1 : jobs_[i].progress();
      done += jobs_[i].cost * share;
      if (pids_[i] > 0) now.push_back(fmt::format("{}: {:.0f} %", jobs_[i].name, 100 * share));
    }
    progress_.update(static_cast<int64_t>(1000 * done / all),
                     fmt::format("{}", fmt::join(now, ", ")));
  }

  std::vector<Job> jobs_;
  int64_t at_once_;
  std::vector<pid_t> pids_;
  std::set<std::string> finished_;
  Progress progress_;
};

}  // namespace

void check_unchanged(const std::vector<Job>& jobs) {
  constexpr size_t most_named = 5;
  std::vector<std::string> changes;
  for (const Job& job : jobs)
    if (job.changed)
      if (const std::string change = job.changed(); !change.empty())
        changes.push_back(fmt::format("'{}': {}", job.name, change));
  if (changes.empty()) return;
  const size_t more = changes.size() - std::min(changes.size(), most_named);
  changes.resize(changes.size() - more);
  throw UserError(
      fmt::format("the settings of {} existing runs have changed; {}{}", changes.size() + more,
                  fmt::join(changes, "; "), more > 0 ? fmt::format("; and {} more", more) : ""),
      "restore the recipe, remove the folders of these runs, or choose another --out");
}

void run_jobs(std::vector<Job> jobs, int64_t at_once) { Pool(std::move(jobs), at_once).run(); }

}  // namespace scion
