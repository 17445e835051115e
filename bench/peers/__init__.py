"""The servers that are compared, by name."""
from peers.chasquid import Chasquid
from peers.exim import Exim
from peers.haraka import Haraka
from peers.opensmtpd import OpenSmtpd, TunedOpenSmtpd
from peers.postfix import Postfix, TunedPostfix
from peers.tapal import Tapal

ALL = {peer.name: peer for peer in (Tapal(), Postfix(), TunedPostfix(), Chasquid(), OpenSmtpd(), TunedOpenSmtpd(), Exim(),
                                    Haraka())}
