// The doctor's daily look, in the server: what changed goes to the log, and the owner gets mail
// only when something got worse.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "ports/log.h"
#include "ports/loop.h"
#include "rules/provision/comparison.h"

namespace tapal::upkeep {

struct DailyExaminationWorld {
  Loop& loop;
  Log& log;
  std::function<std::vector<std::string>()> domains;  // of ours, at this time
  // All findings of a domain. The Error: the look could not begin.
  std::function<Task<Result<std::vector<provision::Finding>>>(std::string domain)> look;
  // What was kept of the domain's last look; "" when there is nothing.
  std::function<std::string(const std::string& domain)> load;
  std::function<Result<void>(const std::string& domain, std::string text)> save;
  // Mail to the domain's owner.
  std::function<Task<Result<void>>(std::string domain, std::string subject, std::string text)> tell;
  std::chrono::seconds first_after{600};  // from the start: certificates and DNS come to rest
  std::chrono::seconds interval{86'400};
};

class DailyExamination {
 public:
  explicit DailyExamination(DailyExaminationWorld world);

  Task<void> run();  // until stop(); on the loop
  void stop();       // on the loop; run() ends when the look under way has
  Task<void> look_once();

 private:
  Task<void> look_at(std::string domain);

  DailyExaminationWorld world_;
  std::unique_ptr<Timer> timer_;
  bool stopping_ = false;
};

// What the owner reads.
std::string letter(const std::string& domain, const std::vector<provision::Finding>& worse);

}  // namespace tapal::upkeep
