package Caportal::Service::Signer;

# The signing worker: it listens on nothing and has a user, a database user and secrets of its own.

use v5.36;
use Caportal::Files qw(folder read_file write_file);
use Caportal::Process;

sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(
        name => 'signer', run => "$home/run", log => "$home/log", user => $self->{owners}->of('signer'));
    return $self;
}

sub process ($self) { return $self->{process} }

# The issuing key and the signer's configuration are readable by its user only.
sub write ($self) {
    my ($home, $owner) = ($self->{home}, $self->{owners}->of('signer'));
    my $ca = $self->{authority};

    folder("$home/conf/signer", 0700, $owner);
    write_file("$home/conf/signer/issuing.key", read_file($ca->file('issuing.key')), 0600, $owner);
    write_file("$home/conf/signer/issuing.pem", read_file($ca->file('issuing.pem')), 0600, $owner);

    my $text = read_file("$home/conf/signer.conf");
    write_file("$home/conf/signer.conf", $self->{edit} ? $self->{edit}->($text) : $text, 0600, $owner);
    return;
}

sub start ($self) {
    $self->{process}->start(["$self->{build}/caportal-signer", '-c', "$self->{home}/conf/signer.conf"]);
    return;
}

sub wait_ready ($self) {
    $self->{process}->wait_until(15, sub { -s $self->{process}->log_file });
    return;
}

1;
