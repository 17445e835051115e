#include "app/commands/demo_sandbox.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "app/cli/password_input.h"
#include "app/config/setup.h"
#include "app/settings/settings.h"
#include "drivers/files/config_folder.h"
#include "drivers/files/files.h"
#include "rules/account/users_file.h"

namespace tapal::app {
namespace {

constexpr std::string_view sender_host = "mail.sender.example";
constexpr std::string_view inbox_host = "mx.inbox.example";
constexpr std::string_view friend_host = "mail.friend.example";

// Where nothing but IPv6 loopback is, every name leads there.
constexpr std::string_view zone_head =
    "$TTL 60\n"
    "example.  IN SOA ns.example. hostmaster.example. 1 3600 600 86400 60\n"
    "example.  IN NS ns.example.\n"
    "ns.example.  IN AAAA ::1\n"
    "sender.example.  IN MX 10 mail.sender.example.\n"
    "mail.sender.example.  IN AAAA ::1\n"
    "sender.example.  IN TXT \"v=spf1 mx -all\"\n"
    "_dmarc.sender.example.  IN TXT \"v=DMARC1; p=reject\"\n"
    "friend.example.  IN MX 10 mail.friend.example.\n"
    "mail.friend.example.  IN AAAA ::1\n"
    "friend.example.  IN TXT \"v=spf1 mx -all\"\n"
    "_dmarc.friend.example.  IN TXT \"v=DMARC1; p=reject\"\n"
    "inbox.example.  IN MX 10 mx.inbox.example.\n"
    "mx.inbox.example.  IN AAAA ::1\n";

const Endpoint any_port{IpAddress::from_text("::1").value(), 0};

}  // namespace

void DemoLog::write(Level level, std::string_view event, LogFields fields) {
  const std::scoped_lock lock(mutex_);
  auto& known = events_[std::string(event)];
  std::string line = fmt::format("{:<6} | {}", name_, event);
  for (const auto& [name, value] : fields) {
    known[std::string(name)] = value;
    if (!value.empty()) line += fmt::format(" {}={}", name, value);
  }
  if (level != Level::debug) show_(line);
}

std::string DemoLog::last(const std::string& event, const std::string& field) const {
  const std::scoped_lock lock(mutex_);
  const auto known = events_.find(event);
  if (known == events_.end()) return {};
  const auto value = known->second.find(field);
  return value == known->second.end() ? "" : value->second;
}

Result<std::unique_ptr<DemoSandbox>> DemoSandbox::start(const DemoLog::Show& show) {
  auto sandbox = std::unique_ptr<DemoSandbox>(new DemoSandbox);
  sandbox->password_ = generate_password();
  TAPAL_CHECK(sandbox->make_folder());
  TAPAL_CHECK(
      sandbox->make_domain("inbox.example", std::string(inbox_host), "bob", generate_password()));
  TAPAL_CHECK(
      sandbox->make_domain("sender.example", std::string(sender_host), "ann", sandbox->password_));
  TAPAL_CHECK(
      sandbox->make_domain("friend.example", std::string(friend_host), "fay", sandbox->password_));
  TAPAL_CHECK(sandbox->add_catch_all());
  TAPAL_CHECK(sandbox->serve_dns());
  TAPAL_CHECK(sandbox->start_servers(show));
  return sandbox;
}

DemoSandbox::~DemoSandbox() {
  friend_.reset();
  sender_.reset();
  inbox_.reset();
  if (dns_ != nullptr) loops_->loop(0).post([this] { dns_->close(); });
  loops_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Result<void> DemoSandbox::make_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "tapal-demo-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return fail(Code::denied, "cannot make a folder like " + pattern);
  folder_ = pattern;
  return {};
}

Result<void> DemoSandbox::make_domain(const std::string& name,
                                      const std::string& host,
                                      const std::string& user,
                                      const std::string& password) {
  const auto config = folder_ / name / "config";
  const SetupOptions options{config, name, host, (folder_ / name / "state").string()};
  TAPAL_TRY(const auto done, set_up(options));
  zone_text_ += done.dkim_record + "\n";
  TAPAL_TRY(const auto credentials, make_credentials(password, {}));
  const auto add = [&](std::string_view text) {
    return account::add_user(text, user, credentials);
  };
  return files::edit_file(files::users_file(config, name), 0600, add);
}

Result<void> DemoSandbox::add_catch_all() {
  const auto config = folder_ / "sender.example" / "config";
  const auto aliases = [](std::string_view) -> Result<std::string> {
    return fmt::format("*: {}\n", demo_recipient);
  };
  return files::edit_file(files::aliases_file(config, "sender.example"), 0600, aliases);
}

Result<void> DemoSandbox::serve_dns() {
  TAPAL_TRY(auto zone, dns::Zone::from_text(std::string(zone_head) + zone_text_, "example"));
  zones_.push_back(std::move(zone));
  loops_ = std::make_unique<LoopPool>(1, "demo-dns");
  auto answer = [this](std::string_view question, Endpoint) {
    return dns::answer_bytes(zones_, question, dns::Transport::udp);
  };
  TAPAL_TRY(dns_, UdpServer::bind(loops_->loop(0), any_port, std::move(answer)));
  loops_->start();
  return {};
}

Result<void> DemoSandbox::start_servers(const DemoLog::Show& show) {
  inbox_log_ = std::make_unique<DemoLog>("inbox", show);
  sender_log_ = std::make_unique<DemoLog>("sender", show);
  TAPAL_TRY(inbox_, start_server("inbox.example", 25, *inbox_log_));
  friend_log_ = std::make_unique<DemoLog>("friend", show);
  TAPAL_TRY(sender_, start_server("sender.example", inbox().port, *sender_log_));
  const auto sender_port = sender_->addresses().smtp.front().port;
  TAPAL_TRY(friend_, start_server("friend.example", sender_port, *friend_log_));
  return {};
}

Result<std::unique_ptr<Server>> DemoSandbox::start_server(const std::string& name,
                                                          std::uint16_t delivery_port,
                                                          Log& log) {
  const auto config = folder_ / name / "config";
  TAPAL_TRY(auto settings, load_settings(config));
  settings.listen.smtp = {any_port};
  settings.listen.submission = {any_port};
  settings.listen.submissions = {any_port};
  settings.delivery.port = delivery_port;
  settings.delivery.allow_private_addresses = true;
  settings.resolver.mode = ResolverOptions::Mode::forward;
  settings.resolver.servers = {dns()};
  settings.resolver.trust_anchor_file = "";
  return Server::start(config, std::move(settings), log);
}

std::filesystem::path DemoSandbox::sender_certificate() const {
  return folder_ / "sender.example" / "config" / "certs" / sender_host / "fullchain.pem";
}

std::filesystem::path DemoSandbox::friend_certificate() const {
  return folder_ / "friend.example" / "config" / "certs" / friend_host / "fullchain.pem";
}

std::filesystem::path DemoSandbox::mailbox() const {
  return folder_ / "inbox.example" / "state" / "mail" / "inbox.example" / "bob";
}

}  // namespace tapal::app
