package Caportal::Test::Edge;

# What the tests of the server's edge ask of a portal besides its answers: its workers, their memory, files left behind.

use v5.36;
use Caportal::Files qw(read_file);
use Caportal::Raw;
use Exporter 'import';
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(raw workers memory temporaries eventually settled reloaded is_refused sanitized);

# A connection to the portal, signed in as a client or as nobody.
sub raw ($portal, $client = undef) {
    my ($port) = $portal->addresses->{portal} =~ /:(\d+)\z/;
    return Caportal::Raw->new(port => $port, ca => $portal->addresses->{server_ca},
        ($client ? (cookie => $client->cookie) : ()));
}

sub workers ($portal) {
    my $master = $portal->process('nginx')->pid;
    my @workers = sort { $a <=> $b } split ' ', read_file("/proc/$master/task/$master/children");
    return @workers;
}

# Resident kilobytes.
sub memory ($pid) {
    my ($kilobytes) = read_file("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    return $kilobytes;
}

# Uploads that neither became a material nor went.
sub temporaries ($portal) {
    my @files = glob $portal->home . '/data/materials/tmp/*';
    return @files;
}

sub eventually ($condition, $seconds = 10) {
    my $end = time + $seconds;
    while (!$condition->()) {
        return 0 if time > $end;
        sleep 0.02;
    }
    return 1;
}

# After a reload none but new workers are left: each request of the old ones has come to its end.
sub reloaded ($portal, $seconds = 20) {
    my %old = map { $_ => 1 } workers($portal);
    $portal->stack->service('nginx')->reload;
    return eventually(sub {
        my @now = workers($portal);
        @now == keys %old && !grep { $old{$_} } @now;
    }, $seconds);
}

# The end of a test of the edge: it still answers, and nothing of what was done to it is left.
sub settled ($portal) {
    is raw($portal)->ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")->{status}, 200, 'the portal is well';
    ok eventually(sub { !temporaries($portal) }), 'no upload is left half done' or diag temporaries($portal);
    ok reloaded($portal), 'nothing keeps a worker from leaving';
    is_deeply [$portal->alarming], [], 'nothing alarming in the logs';
    return;
}

# Refused for now: 503, and when to come again.
sub is_refused ($answer, $title) {
    return subtest $title => sub {
        is $answer && $answer->{status}, 503, 'status';
        like $answer && $answer->{headers}{'retry-after'}, qr/\A[1-9]\d*\z/, 'Retry-After';
    };
}

# Whether the server under test is one that the sanitizers slow down and blow up.
sub sanitized () { return ($ENV{CAPORTAL_NGINX} // '') =~ /asan/ }

1;
