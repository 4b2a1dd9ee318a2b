package Caportal::Service::Sandbox;

# The outside parties' stand-in, on loopback.

use v5.36;
use Caportal::Files qw(folder);
use Caportal::Process;
use IO::Socket::IP;

sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(
        name => 'sandbox', run => "$home/run", log => "$home/log", user => $self->{owners}->of('web'));
    return $self;
}

sub process ($self) { return $self->{process} }

sub start ($self) {
    my ($home, $secrets) = ($self->{home}, "$self->{home}/conf/secrets");

    folder("$home/data/sandbox", 0700, $self->{owners}->of('web'));
    $self->{process}->start(
        [$^X, "$self->{root}/deploy/sandbox/sandbox.pl", 'daemon', '-l', "http://127.0.0.1:$self->{port}"],
        SANDBOX_HOME                     => "$home/data/sandbox",
        SANDBOX_SMS_KEY_ID               => 'caportal',
        SANDBOX_SMS_KEY_SECRET_FILE      => "$secrets/sms",
        SANDBOX_IDENTITY_KEY_ID          => 'caportal',
        SANDBOX_IDENTITY_KEY_SECRET_FILE => "$secrets/identity",
        MOJO_LOG_LEVEL                   => 'warn',
    );
    return;
}

sub wait_ready ($self) {
    $self->{process}->wait_until(30, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{port}) });
    return;
}

1;
