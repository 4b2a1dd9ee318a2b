package Caportal::Bench;

# What the scripts of t/bench share: a portal with one worker pinned to CPU 0, wrk on CPU 1, the CPU time that the
# servers took for an operation, product and baseline in turn, and the closing lines.

use v5.36;
use Caportal::Files qw(capture);
use Caportal::Test;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use List::Util qw(sum0);
use POSIX ();
use Time::HiRes qw(time);

use constant { SERVER_CPU => 0, LOAD_CPU => 1, TICK => 1 / POSIX::sysconf(POSIX::_SC_CLK_TCK()) };
use constant NOISY => 20;    # percent of the server's CPU that others took

my $root  = abs_path(dirname(__FILE__) . '/../../..');
my $build = $ENV{CAPORTAL_BUILD} // "$root/build";

sub seconds () { return $ENV{CAPORTAL_BENCH_SECONDS} // 5 }

# A trial in which only a run that works matters takes the run's fast MariaDB; figures need one that writes through.
sub is_trial () { return defined $ENV{CAPORTAL_BENCH_SECONDS} && $ENV{CAPORTAL_BENCH_SECONDS} <= 1 }

# name: of the lines; pairs: how often each side runs; server: text of a server block for the benchmark, in which PLAIN
# and TLS stand for its two ports; settings: directives for the level above, in place of those that are there.
sub start ($class, %given) {
    my $port   = Caportal::Test->shared->port;
    my $server = $given{server} // '';
    $server =~ s/\bPLAIN\b/127.0.0.1:$port/g;
    $server =~ s/\bTLS\b/127.0.0.1:@{[ $port + 1 ]}/g;

    my $portal = Caportal::Test->start(
        (is_trial() ? () : (own_database => 1)),
        ($given{environment} ? (environment => $given{environment}) : ()),
        edit => sub ($text) {
            $text =~ s/worker_processes\s+auto;/worker_processes 1;/;
            $text =~ s/^(\s*)include egress\.conf;/$server\n$1include egress.conf;/m;
            for my $setting (@{ $given{settings} // [] }) {
                my ($name) = split ' ', $setting;
                $text =~ s/^\s*\Q$name\E\s.*\n//m;
                $text =~ s/^(http \{\n)/$1    $setting\n/m;
            }
            return $text;
        },
    );
    my $self = bless {
        %given,
        portal => $portal,
        plain  => "http://localhost:$port",
        tls    => "https://localhost:" . ($port + 1),
    }, $class;
    $self->{pairs} ||= is_trial() ? 1 : 5;
    return $self;
}

sub portal ($self) { return $self->{portal} }
sub plain ($self)  { return $self->{plain} }
sub tls ($self)    { return $self->{tls} }

sub program ($class, $name) { return "$build/t/bench/$name" }

sub mariadb_socket ($self) { return $self->portal->stack->service('mariadb')->socket }

# Processes and their children; a service of the portal may be given by its name.
sub _pids ($self, @processes) {
    my %children;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $stat, '<', $file or next;
        my ($pid, $parent) = (<$stat> // '') =~ /\A(\d+) \(.*\) \S (\d+)/s or next;
        push @{ $children{$parent} }, $pid;
    }
    my @pids = map { (ref ? $_ : $self->portal->process($_))->pid // () } @processes;
    return (@pids, map { @{ $children{$_} // [] } } @pids);
}

# Puts these services on the server's CPU; from now on their time counts. One that other tests share, as MariaDB in a trial,
# has no process here and is passed over.
sub pin ($self, @processes) {
    $self->{pids} = [$self->_pids(@processes)];
    capture('taskset', '-a', '-c', '-p', SERVER_CPU, $_) for @{ $self->{pids} };
    _go_first($_) for @{ $self->{pids} }, $$;
    return;
}

# Where the kernel shares a CPU out among sessions, this one's is not that of one among many: waiting for strangers is
# no property of what is measured.
sub _go_first ($pid) {
    open my $file, '>', "/proc/$pid/autogroup" or return;
    print {$file} "-20\n";
    close $file;
    return;
}

# The same benchmark where other processes serve.
sub beside ($self, @processes) {
    my $other = bless {%$self}, ref $self;
    $other->pin(@processes);
    return $other;
}

# Seconds of CPU that the pinned processes have used, by the name of their program.
sub _used ($self) {
    my %seconds;
    for my $pid (@{ $self->{pids} }) {
        open my $comm, '<', "/proc/$pid/comm" or next;
        chomp(my $name = <$comm> // '');
        for my $file (glob "/proc/$pid/task/*/schedstat") {
            open my $stat, '<', $file or next;
            $seconds{$name} += (split ' ', <$stat> // '0')[0] / 1e9;
        }
    }
    return \%seconds;
}

# Seconds in which the server's CPU was busy with anything.
sub _busy ($self) {
    open my $stat, '<', '/proc/stat' or die "/proc/stat: $!\n";
    my ($line) = grep {/^cpu${\ SERVER_CPU} /} <$stat>;
    my (undef, $user, $nice, $system, $idle, $wait, $irq, $soft, $steal) = split ' ', $line;
    return sum0($user, $nice, $system, $irq, $soft, $steal // 0) * TICK;
}

# Runs $load, which returns {count => operations, rate => per second} and perhaps cpu => seconds of its own that count
# as the server's, or p50 and p99 in ms. Adds cpu_us an operation and the strangers' share.
sub measure ($self, $label, $load) {
    my ($used, $busy, $begin) = ($self->_used, $self->_busy, time);
    my $got  = $load->();
    my $time = time - $begin;
    my $now  = $self->_used;
    my %part = map { $_ => $now->{$_} - ($used->{$_} // 0) } keys %$now;
    my $cpu  = sum0(values %part) + ($got->{cpu} // 0);

    die "$label: no operation was done\n" if !$got->{count};
    $got->{cpu_us}    = 1e6 * $cpu / $got->{count};
    $got->{strangers} = 100 * ($self->_busy - $busy - $cpu) / $time;
    $got->{strangers} = 0 if $got->{strangers} < 0;
    printf STDERR "%-28s %9.0f/s %9.1f us (%s)%s%s\n", $label, @$got{qw(rate cpu_us)},
        join(', ', map { sprintf '%s %.1f', $_, 1e6 * $part{$_} / $got->{count} } sort keys %part),
        $got->{p99} ? sprintf '  p50 %.2f p99 %.2f ms', @$got{qw(p50 p99)} : '',
        $got->{strangers} > NOISY ? sprintf '  noisy: %.0f %% by others', $got->{strangers} : '';
    return $got;
}

my %ms_of = (us => 0.001, ms => 1, s => 1000, m => 60_000);

# wrk with one thread on the load's CPU; any answer that is not 2xx is fatal.
sub wrk ($self, $url, %option) {
    my @words = (qw(taskset -c), LOAD_CPU, qw(wrk -t1 --latency -c), $option{connections} // 64, '-d', seconds() . 's');
    push @words, '-s', $option{script} if $option{script};
    push @words, map { ('-H', $_) } @{ $option{headers} // [] };

    my $said = capture(@words, $url);
    die "wrk $url: $said" if $said =~ /Non-2xx|Socket errors/;
    my ($count) = $said =~ /^\s*(\d+) requests in/m      or die "wrk $url: $said";
    my ($rate)  = $said =~ m{^Requests/sec:\s+([\d.]+)}m or die "wrk $url: $said";
    my %at      = map { $_ => $said =~ /^\s+$_%\s+([\d.]+)(us|ms|s|m)$/m ? $1 * $ms_of{$2} : 0 } 50, 99;
    return {count => $count, rate => $rate, p50 => $at{50}, p99 => $at{99}};
}

# A program on the server's CPU that ends with the line "OPERATIONS SECONDS CPU-SECONDS".
sub loop ($self, $name, @words) {
    my $said = capture('taskset', '-c', SERVER_CPU, $self->program($name), @words);
    my ($count, $time, $cpu) = $said =~ /^(\d+) ([\d.]+) ([\d.]+)\n\z/m or die "$name: $said";
    return {count => $count, rate => $count / $time, cpu => $cpu};
}

# Starts a program on the load's CPU; the sub that comes back waits for its end and returns what it said.
sub at_load ($class, $name, @words) {
    open my $said, '-|', 'taskset', '-c', LOAD_CPU, $class->program($name), @words or die "$name: $!\n";
    return sub () {
        my $text = join '', <$said>;
        close $said or die "$name failed\n";
        return $text;
    };
}

sub median (@values) {
    my @sorted = sort { $a <=> $b } @values;
    return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

# Product and baselines in turn: sides is [[label, sub, bench, sub], …], the product first; the bench is that of the
# servers which are asked, when they are not this one's; the last prepares a run and is not measured. Returns
# {label => [runs]}.
sub pairs ($self, @sides) {
    my %runs;
    for my $pair (1 .. $self->{pairs}) {
        for my $side (@sides) {
            my ($label, $load, $bench, $prepare) = @$side;
            $prepare->() if $prepare;
            push @{ $runs{$label} }, ($bench // $self)->measure($label, $load);
        }
    }
    return \%runs;
}

# One closing line for values of which less is better: [product], [baseline].
sub report_less ($name, $metric, $unit, $product, $baseline, $target = 'none') {
    printf "%s metric=%s value=%.2f unit=%s baseline=%.2f ratio=%.3f target=%s\n", $name, $metric, median(@$product),
        $unit, median(@$baseline), median(map { $baseline->[$_] / $product->[$_] } 0 .. $#$product), $target;
    return;
}

# The closing lines of product against baseline; larger ratios are better. targets: {rate => …, cpu => …}.
sub report ($self, $name, $product, $baseline, %targets) {
    for (['rate', 'rate', '1/s', sub ($p, $b) { $p / $b }], ['cpu', 'cpu_us', 'us', sub ($p, $b) { $b / $p }]) {
        my ($metric, $field, $unit, $ratio) = @$_;
        my @ratios = map { $ratio->($product->[$_]{$field}, $baseline->[$_]{$field}) } 0 .. $#$product;
        printf "%s metric=%s value=%.1f unit=%s baseline=%.1f ratio=%.3f target=%s\n", $name, $metric,
            median(map { $_->{$field} } @$product), $unit, median(map { $_->{$field} } @$baseline), median(@ratios),
            $targets{$metric} // 'none';
    }
    return;
}

1;
