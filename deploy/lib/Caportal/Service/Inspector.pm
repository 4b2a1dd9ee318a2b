package Caportal::Service::Inspector;

# The decoders in their cage. Started as the calling user: it gives up its rights itself.

use v5.36;
use Caportal::Files qw(capture read_file write_file);
use Caportal::Process;

# home, build; for tests, edit: a sub that may change the text of inspector.conf; under: a command that starts it.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(name => 'inspector', run => "$home/run", log => "$home/log");
    return $self;
}

sub process ($self) { return $self->{process} }
sub socket ($self)  { return "$self->{home}/run/inspector.sock" }
sub _file ($self)   { return "$self->{home}/conf/inspector.conf" }

sub write ($self) {
    write_file($self->_file, $self->{edit}->(read_file($self->_file))) if $self->{edit};
    return;
}

sub _command ($self) {
    return (@{ $self->{under} // [] }, "$self->{build}/caportal-inspector", '-c', $self->_file);
}

# Dies with the inspector's words when its configuration is not in order.
sub test ($self) {
    return capture($self->_command, '-t');
}

sub start ($self) {
    return if $self->{process}->pid;
    $self->{before} = -s $self->{process}->log_file // 0;
    $self->{process}->start([$self->_command]);
    return;
}

# Its word in the log, behind those of earlier runs. One that ran before had said it.
sub wait_ready ($self) {
    my ($log, $before) = ($self->{process}->log_file, $self->{before} // 0);
    $self->{process}->wait_until(30, sub { -r $log && index(read_file($log), 'inspector starts', $before) >= 0 });
    return;
}

1;
