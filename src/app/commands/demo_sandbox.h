// A small internet in one process, on loopback: a DNS server, a tapal for sender.example, one for
// inbox.example that it sends to, and one for friend.example that sends to it. Everything lives in
// one temporary folder.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/server/server.h"
#include "base/result.h"
#include "drivers/net/loop.h"
#include "drivers/net/udp_server.h"
#include "ports/log.h"
#include "values/dns/zone.h"

namespace tapal::app {

inline constexpr std::string_view demo_sender = "ann@sender.example";
inline constexpr std::string_view demo_recipient = "bob@inbox.example";
inline constexpr std::string_view demo_friend = "fay@friend.example";
inline constexpr std::string_view demo_alias = "any123@sender.example";  // leads to demo_recipient

// Passes a server's events on and remembers the last of each kind.
class DemoLog final : public Log {
 public:
  using Show = std::function<void(const std::string& line)>;
  DemoLog(std::string name, Show show) : name_(std::move(name)), show_(std::move(show)) {}
  void write(Level level, std::string_view event, LogFields fields) override;
  // A field of the last event of this kind; empty when there was none.
  std::string last(const std::string& event, const std::string& field) const;

 private:
  std::string name_;
  Show show_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>> events_;
};

class DemoSandbox {
 public:
  static Result<std::unique_ptr<DemoSandbox>> start(const DemoLog::Show& show);
  ~DemoSandbox();  // stops everything and removes the folder
  DemoSandbox(const DemoSandbox&) = delete;
  DemoSandbox& operator=(const DemoSandbox&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& password() const { return password_; }  // of demo_sender and demo_friend
  Endpoint dns() const { return dns_->local(); }
  Endpoint submissions() const { return sender_->addresses().submissions.front(); }
  Endpoint submission() const { return sender_->addresses().submission.front(); }
  Endpoint inbox() const { return inbox_->addresses().smtp.front(); }
  Endpoint friend_submissions() const { return friend_->addresses().submissions.front(); }
  std::filesystem::path sender_certificate() const;
  std::filesystem::path friend_certificate() const;
  std::filesystem::path mailbox() const;  // of demo_recipient
  const DemoLog& sender_log() const { return *sender_log_; }

 private:
  DemoSandbox() = default;
  Result<void> make_folder();
  Result<void> make_domain(const std::string& name,
                           const std::string& host,
                           const std::string& user,
                           const std::string& password);
  Result<void> add_catch_all();
  Result<void> serve_dns();
  Result<void> start_servers(const DemoLog::Show& show);
  Result<std::unique_ptr<Server>> start_server(const std::string& name,
                                               std::uint16_t delivery_port,
                                               Log& log);

  std::filesystem::path folder_;
  std::string password_;
  std::string zone_text_;
  std::vector<dns::Zone> zones_;
  std::unique_ptr<LoopPool> loops_;
  std::unique_ptr<UdpServer> dns_;
  std::unique_ptr<DemoLog> sender_log_;
  std::unique_ptr<DemoLog> inbox_log_;
  std::unique_ptr<DemoLog> friend_log_;
  std::unique_ptr<Server> inbox_;
  std::unique_ptr<Server> sender_;
  std::unique_ptr<Server> friend_;
};

}  // namespace tapal::app
