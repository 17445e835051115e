// What a certificate authority comes to look at while it decides whether a name is ours. Written by
// whoever orders a certificate, read by the listeners of ports 80 and 443. Safe from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace tapal {

class ChallengeBoard {
 public:
  // The answer to GET /.well-known/acme-challenge/<token> (RFC 8555 section 8.3).
  void show_http(std::string token, std::string key_authorization) {
    const std::scoped_lock lock(mutex_);
    http_[std::move(token)] = std::move(key_authorization);
  }
  // The certificate for a client that asks for `host` and for the protocol acme-tls/1 (RFC 8737).
  struct TlsAnswer {
    std::string chain_pem;
    std::string key_pem;
  };
  void show_tls(std::string host, TlsAnswer answer) {
    const std::scoped_lock lock(mutex_);
    tls_[std::move(host)] = std::move(answer);
  }
  void withdraw_http(std::string_view token) {
    const std::scoped_lock lock(mutex_);
    http_.erase(std::string(token));
  }
  void withdraw_tls(std::string_view host) {
    const std::scoped_lock lock(mutex_);
    tls_.erase(std::string(host));
  }

  std::optional<std::string> http(std::string_view token) const { return find(http_, token); }
  std::optional<TlsAnswer> tls(std::string_view host) const { return find(tls_, host); }

 private:
  template <class Map>
  std::optional<typename Map::mapped_type> find(const Map& map, std::string_view key) const {
    const std::scoped_lock lock(mutex_);
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> http_;
  std::map<std::string, TlsAnswer, std::less<>> tls_;
};

}  // namespace tapal
