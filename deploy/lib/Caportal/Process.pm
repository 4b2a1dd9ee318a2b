package Caportal::Process;

# A daemon: started detached under its user, known by a file "pid start-time", stopped by that and never by a name.

use v5.36;
use Caportal::Files qw(read_file write_file);
use POSIX ();
use Time::HiRes qw(sleep time);

# name, run (folder of the process files), log (folder), user ([uid, gid] or nothing) of the new process, and the signal
# at which it leaves with nothing broken off (quits; TERM where there is none).
sub new ($class, %given) {
    return bless {%given}, $class;
}

sub name ($self)     { return $self->{name} }
sub log_file ($self) { return "$self->{log}/$self->{name}.log" }
sub _file ($self)    { return "$self->{run}/$self->{name}.process" }

# State and start time of a process: a number that comes round again has another start time.
sub _look ($pid) {
    open my $file, '<', "/proc/$pid/stat" or return;
    my $line = <$file> // return;
    my ($rest) = $line =~ /\A\d+ \(.*\) (.*)/s or return;
    my @field = split ' ', $rest;
    return if $field[0] =~ /[ZX]/;
    return $field[19];
}

# The process id, or nothing when it does not run.
sub pid ($self) {
    return if !-s $self->_file;
    my ($pid, $start) = split ' ', read_file($self->_file);
    waitpid $pid, POSIX::WNOHANG();
    my $now = _look($pid) // return;
    return $now eq $start ? $pid : undef;
}

sub _become ($self, $command, $environment) {
    POSIX::setsid();
    open STDIN,  '<',  '/dev/null'      or die;
    open STDOUT, '>>', $self->log_file  or die;
    open STDERR, '>&', \*STDOUT         or die;
    POSIX::close($_) for 3 .. 255;

    if (my $user = $self->{user}) {
        my ($uid, $gid) = @$user;
        $) = "$gid $gid";
        $( = $gid;
        POSIX::setuid($uid) or die;
    }

    %ENV = (PATH => $ENV{PATH}, LANG => 'C.UTF-8', %$environment);
    no warnings "exec";
    exec { $command->[0] } @$command or die;
}

sub start ($self, $command, %environment) {
    return if $self->pid;

    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        eval { $self->_become($command, \%environment) };
        print STDERR "$command->[0]: $!\n";
        POSIX::_exit(127);
    }

    write_file($self->_file, "$pid " . (_look($pid) // 0) . "\n");
    return;
}

# Waits until $condition holds; dies, with the end of the log, when the process ends or the time is over.
sub wait_until ($self, $seconds, $condition) {
    my $end = time + $seconds;

    while (!$condition->()) {
        die "$self->{name} ended at its start:\n" . $self->last_lines if !$self->pid;
        die "$self->{name} is not ready after $seconds seconds:\n" . $self->last_lines if time > $end;
        sleep 0.02;
    }
    return;
}

sub last_lines ($self, $count = 15) {
    return '' if !-r $self->log_file;
    my @lines = split /^/, read_file($self->log_file);
    splice @lines, 0, @lines - $count if @lines > $count;
    return join '', map {"    $_"} @lines;
}

# KILL takes its children with it, which would else live on.
sub signal ($self, $signal) {
    my $pid = $self->pid or return 0;
    return kill $signal, $signal eq 'KILL' ? -$pid : $pid;
}

# Asks it to leave, and again with TERM; then KILL. True when something was stopped.
sub stop ($self, $seconds = 10) {
    my $running = $self->pid;

    if ($running) {
        $self->_leave($_, $seconds) for grep {defined} $self->{quits}, 'TERM';
        while ($self->pid) {
            $self->signal('KILL');
            sleep 0.02;
        }
    }
    unlink $self->_file;
    return $running;
}

sub _leave ($self, $signal, $seconds) {
    my $end = time + $seconds;
    $self->signal($signal);
    sleep 0.02 while $self->pid && time < $end;
    return;
}

1;
