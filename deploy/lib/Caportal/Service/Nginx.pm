package Caportal::Service::Nginx;

# nginx with the installed configuration of this home.

use v5.36;
use Caportal::Files qw(capture folder read_file write_file);
use Caportal::Process;
use IO::Socket::IP;
use IO::Socket::UNIX;

# CAPORTAL_NGINX names another nginx than the installed one.
# home, owners, port. For tests: edit, a sub that may change the text of nginx.conf; environment, a hash.
sub new ($class, %given) {
    my $self = bless {%given}, $class;
    my $home = $self->{home};

    $self->{process} = Caportal::Process->new(name => 'nginx', run => "$home/run", log => "$home/log", quits => 'QUIT');
    return $self;
}

sub process ($self) { return $self->{process} }

sub write ($self) {
    my $home = $self->{home};

    folder("$home/data/$_", 0700, $self->{owners}->of('web')) for qw(materials web documents);
    my $text = read_file("$home/conf/nginx.conf");
    $text =~ s/^load_module .*\n//mg if $self->_has_module;
    $text = $self->{edit}->($text) if $self->{edit};
    write_file("$home/conf/nginx.conf", $text);
    return;
}

# A server that the module was linked into does not load it as well.
sub _has_module ($self) {
    return $ENV{CAPORTAL_NGINX} && capture($ENV{CAPORTAL_NGINX}, '-V') =~ /--add-module=/;
}

sub _command ($self, @more) {
    return ($ENV{CAPORTAL_NGINX} // 'nginx', '-p', "$self->{home}/conf", '-c', "$self->{home}/conf/nginx.conf",
        '-e', "$self->{home}/log/error.log", @more);
}

# Dies with nginx's words when the configuration is not in order.
sub test ($self) {
    return capture($self->_command('-t'));
}

sub start ($self) {
    # A socket file that a killed nginx left behind would keep the new one from listening.
    my $socket = "$self->{home}/run/egress.sock";
    unlink $socket if -S $socket && !$self->{process}->pid && !IO::Socket::UNIX->new(Peer => $socket);

    $self->{process}->start([$self->_command('-g', 'daemon off;')], %{ $self->{environment} // {} });
    return;
}

sub wait_ready ($self) {
    for my $port ($self->{port}, $self->{port} + 1) {
        $self->{process}->wait_until(30, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) });
    }
    return;
}

sub reload ($self) {
    return $self->{process}->signal('HUP');
}

1;
