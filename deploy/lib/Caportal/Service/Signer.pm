package Caportal::Service::Signer;

# The signing worker: it listens on nothing and has a user, a database user and secrets of its own.

use v5.36;
use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Process;

sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(
        name => 'signer', run => "$home/run", log => "$home/log", user => $self->{owners}->of('signer'));
    return $self;
}

sub process ($self) { return $self->{process} }

# The issuing key, the secrets and the configuration are readable by the signer's user only.
sub write ($self, $secret_of) {
    my ($home, $owner, $ca) = ($self->{home}, $self->{owners}->of('signer'), $self->{authority});
    my $folder = folder("$home/conf/signer", 0700, $owner);

    write_file("$folder/p256-1.key", read_file($ca->file('issuing.key')), 0600, $owner);
    write_file("$folder/p256-1.pem", read_file($ca->file('issuing.pem')), 0600, $owner);
    write_file("$folder/$_", $secret_of->($_) . "
", 0600, $owner) for qw(database redis audit.key);

    my $text = read_file("$home/conf/signer.conf");
    write_file("$home/conf/signer.conf", $self->{edit} ? $self->{edit}->($text) : $text, 0600, $owner);
    return;
}

sub _command ($self) {
    return ("$self->{build}/caportal-signer", '-c', "$self->{home}/conf/signer.conf");
}

# Dies with the signer's words when its configuration is not in order.
sub test ($self) {
    return capture($self->_command, '-t');
}

sub start ($self) {
    $self->{process}->start([$self->_command]);
    return;
}

sub wait_ready ($self) {
    $self->{process}->wait_until(15, sub { $self->{process}->pid && $self->{process}->last_lines =~ /starts/ });
    return;
}

1;
