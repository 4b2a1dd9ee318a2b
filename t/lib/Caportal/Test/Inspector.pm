package Caportal::Test::Inspector;

# caportal-inspector alone, in a temporary folder, and what it says of files. At the end it is stopped, and its log must
# hold no alarm but expected ones.

use v5.36;
use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Service::Inspector;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

my $root  = abs_path(dirname(__FILE__) . '/../../../..');
my $build = $ENV{CAPORTAL_BUILD} // "$root/build";
my @started;

# Words of inspector.conf by name (children => 1 …), with patience for a machine that has much else to do; allow: a
# pattern of alarming log lines that are expected; under: a command that starts it.
sub start ($class, %option) {
    my ($allow, $under) = delete @option{qw(allow under)};
    my $home  = File::Temp::tempdir('ci.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self  = bless {allow => $allow, home => $home, files => 0}, $class;
    my %words = (user => 'nobody', listen => "$home/run/inspector.sock", children => 2, wall_time => '60s', %option);

    folder("$home/$_") for qw(conf run log files);
    write_file("$home/conf/inspector.conf", join '', map {"$_ $words{$_};\n"} sort keys %words);
    $self->{service} = Caportal::Service::Inspector->new(home => $home, build => $build, under => $under);
    push @started, $self;
    $self->{service}->start;
    $self->{service}->wait_ready;
    return $self;
}

sub service ($self) { return $self->{service} }
sub socket ($self)  { return $self->{service}->socket }
sub home ($self)    { return $self->{home} }
sub pid ($self)     { return $self->{service}->process->pid }
sub log ($self)     { return read_file($self->{service}->process->log_file) }

# A program of t/inspector.
sub program ($class, $name) { return "$build/t/inspector/$name" }

sub is_sanitized ($class) { return $build =~ /asan/ }

# What a program of t/inspector prints.
sub run ($class, $name, @words) { return capture($class->program($name), @words) }

# The same with bytes on its standard input.
sub pipe ($class, $bytes, $name, @words) {
    my $in = File::Temp->new;
    binmode $in;
    print {$in} $bytes;
    close $in;
    open my $out, '-|:raw', "exec '@{[ $class->program($name) ]}' @words <'$in'" or die "$name: $!\n";
    local $/ = undef;
    my $got = <$out>;
    close $out or die "$name @words failed\n";
    return $got;
}

sub file ($self, $bytes) {
    return write_file("$self->{home}/files/" . ++$self->{files}, $bytes);
}

# The command that inspects: [type, path] …, with options (pages => 3, times => 2 …) before.
sub command ($self, $option, @files) {
    return ($self->program('inspect'), $self->socket, (map {"$_=$option->{$_}"} sort keys %$option),
        map {"$_->[0]:$_->[1]"} @files);
}

# What is said of bytes of a type, decoded; copies under "copy", "thumbnail" and "pages" with their "bytes".
sub inspect ($self, $type, $bytes, %option) {
    my $out  = "$self->{home}/files/out";
    my $said = capture($self->command({%option, out => $out}, [$type, $self->file($bytes)]));
    my ($line) = $said =~ /^(\{.*\})$/m or die "inspect: $said";
    my $got = JSON::PP::decode_json($line);

    return $got if $got->{reason} || $got->{code};
    $got->{$_}{bytes} = read_file("$out.$_") for grep { $got->{$_}{size} } qw(copy thumbnail);
    $got->{pages} = [map { { %{ $got->{pages}[$_]{copy} }, bytes => read_file("$out.page" . ($_ + 1)) } }
        0 .. $#{ $got->{pages} }];
    return $got;
}

# One word: "ok", why it is refused, or the error's code.
sub verdict ($self, $type, $bytes, %option) {
    my $got = $self->inspect($type, $bytes, %option);
    return $got->{code} || $got->{reason} || 'ok';
}

# The same of many at once: [type, bytes] …
sub verdicts ($self, $option, @files) {
    my $said = capture($self->command($option, map { [$_->[0], $self->file($_->[1])] } @files));
    my @got  = map { JSON::PP::decode_json($_) } $said =~ /^(\{.*\})$/mg;
    return map { $_->{code} || $_->{reason} || 'ok' } @got;
}

# Starts to inspect and comes back; said() is the verdict so far, await() waits for it.
sub begin ($self, $type, $bytes, %option) {
    my $path = $self->file($bytes);
    my $pid  = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', "$path.said" or POSIX::_exit(1);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(1);
        exec $self->command(\%option, [$type, $path]) or POSIX::_exit(1);
    }
    return {pid => $pid, said => "$path.said"};
}

sub said ($self, $begun) {
    my $said = -e $begun->{said} ? read_file($begun->{said}) : '';
    my ($line) = $said =~ /^(\{.*\})$/m or return '';
    my $got = JSON::PP::decode_json($line);
    return $got->{code} || $got->{reason} || 'ok';
}

sub await ($self, $begun) {
    waitpid $begun->{pid}, 0;
    return $self->said($begun);
}

# Processes of which this one is the parent.
sub children ($self, $parent = $self->pid) {
    my @children;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $stat, '<', $file or next;
        my ($pid, $state, $of) = (<$stat> // '') =~ /\A(\d+) \(.*\) (\S) (\d+)/s or next;
        push @children, $pid if $of == $parent && $state !~ /[ZX]/;
    }
    return @children;
}

# So many children that wait for a file, in their cage and asleep: stopped now, they take one and do nothing with it.
sub stopped_children ($self, $count) {
    my @ready;
    $self->wait_for('children that are ready', sub {
        @ready = $self->children;
        return @ready == $count && $count == grep {
            $self->status_of($_, 'Seccomp') eq '2' && $self->status_of($_, 'State') eq 'S'
        } @ready;
    });
    kill STOP => @ready;
    return @ready;
}

# Kills children and waits until their parent knows: before, it may still give a file to one of them.
sub put_down ($self, @pids) {
    kill KILL => @pids;
    return $self->wait_for('the killed to be buried', sub { !grep { kill 0, $_ } @pids });
}

sub wait_for ($self, $what, $condition, $seconds = 60) {
    my $end = time + $seconds;
    while (time < $end) {
        my $got = $condition->();
        return $got if $got;
        sleep 0.02;
    }
    Test::More::diag("waited in vain: $what");
    return;
}

# A field of /proc/PID/status, its first word.
sub status_of ($class, $pid, $name) {
    my $text = eval { read_file("/proc/$pid/status") } // '';
    return $text =~ /^\Q$name\E:\s+(\S+)/m ? $1 : undef;
}

sub stop ($self) {
    my $was = $self->{service}->process->stop;
    return $was if $self->{looked}++;

    my @alarms = grep { /\[(?:alert|emerg)\]|Sanitizer|runtime error/ && !($self->{allow} && $_ =~ $self->{allow}) }
        split /^/, $self->log;
    Test::More::is("@alarms", '', 'no alarm in the log');
    return $was;
}

END {
    my $status = $?;
    $_->{service}->process->stop for @started;
    $? = $status;
}

1;
