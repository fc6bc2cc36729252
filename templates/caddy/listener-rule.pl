# Of two processes that listen on the same ports (SO_REUSEPORT), one gets every new connection; what the other one has accepted stays with it.
# Without that rule the kernel deals them out, also to one that is about to stop. It holds for the ports, also after the process that it was
# set for has ended. HTTP/3 has one socket for all connections: there every packet goes to the oldest for as long as it lives.
# Usage: perl listener-rule.pl oldest|newest PID...; a PID of 0 is none
use strict;
use warnings;
use Socket qw(SOL_SOCKET SO_TYPE SO_ACCEPTCONN SOCK_STREAM AF_INET AF_INET6);
use constant { SO_REUSEPORT => 15, SO_DOMAIN => 39, SO_ATTACH_REUSEPORT_CBPF => 51 };
use constant { PIDFD_OPEN => 434, PIDFD_GETFD => 438, BPF_RET => 6 };

my ($which, @pids) = @ARGV;
my $index = { oldest => 0, newest => 1 }->{ $which // '' } // die "oldest or newest?\n";

sub number { unpack 'i', getsockopt($_[0], SOL_SOCKET, $_[1]) // pack('i', -1) }

sub rule {
    my ($socket) = @_;
    my ($domain, $isStream) = (number($socket, SO_DOMAIN), number($socket, SO_TYPE) == SOCK_STREAM);
    return if ($domain != AF_INET && $domain != AF_INET6) || number($socket, SO_REUSEPORT) != 1;
    return if $isStream && number($socket, SO_ACCEPTCONN) != 1;
    # A program of one instruction: return the place of the socket in the order in which they began to listen. Where there is none at that
    # place, the kernel takes whom there is.
    my $instruction = pack 'S C C L', BPF_RET, 0, 0, $isStream ? $index : 0;
    setsockopt $socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, pack('S x![P] P', 1, $instruction) or die "the rule: $!\n";
}

for my $pid (grep { $_ > 0 } @pids) {
    my $process = syscall(PIDFD_OPEN, $pid + 0, 0);
    die "process $pid: $!\n" if $process < 0;
    opendir my $folder, "/proc/$pid/fd" or die "/proc/$pid/fd: $!\n";
    for my $name (grep { (readlink("/proc/$pid/fd/$_") // '') =~ /^socket:/ } readdir $folder) {
        my $copy = syscall(PIDFD_GETFD, $process, $name + 0, 0);
        next if $copy < 0; # closed meanwhile
        open my $socket, '+<&=', $copy or die "file $name of process $pid: $!\n";
        rule($socket);
    }
}
