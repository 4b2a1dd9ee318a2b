package Caportal::Test::Proxy;

# Stands between the workers and their Redis, on a unix socket, and holds back what it is told to: so that a test
# decides which of two connections is heard first, or that one is not heard any more.

use v5.36;
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

# path: its socket; to: that of Redis.
sub start ($class, %given) {
    socketpair my $here, my $there, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    $_->autoflush(1) for $here, $there;
    my $listen = IO::Socket::UNIX->new(Local => $given{path}, Listen => 64) or die "$given{path}: $!\n";

    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        close $here;
        eval { (bless {%given, listen => $listen, control => $there}, $class)->_serve; 1 } or print STDERR $@;
        require POSIX;
        POSIX::_exit(0);
    }
    close $there;
    return bless {pid => $pid, owner => $$, control => $here}, $class;
}

# Holds back from now on what comes from Redis (or goes to it) on the connections that subscribe (or on the others):
# hold(from => 'tracking'), hold(to => 'data'). What was held goes on its way with release().
sub hold ($self, $direction, $kind) { return $self->_say("hold $direction $kind") }
sub release ($self)                 { return $self->_say('release') }

# How many bytes are held back now.
sub held ($self) { return $self->_say('held') }

sub _say ($self, $words) {
    print { $self->{control} } "$words\n";
    chomp(my $answer = readline($self->{control}) // die "the proxy has gone\n");
    return $answer;
}

sub _serve ($self) {
    local $SIG{PIPE} = 'IGNORE';
    $self->{select} = IO::Select->new(@$self{qw(listen control)});
    while (1) {
        for my $ready ($self->{select}->can_read) {
            if    ($ready == $self->{listen})  { $self->_accept }
            elsif ($ready == $self->{control}) { $self->_command(readline($ready) // return) }
            elsif ($self->{side}{$ready})      { $self->_pass($ready) }
        }
    }
    return;
}

sub _accept ($self) {
    my $client = $self->{listen}->accept or return;
    my $server = IO::Socket::UNIX->new(Peer => $self->{to}) or return close $client;
    my $link   = {kind => 'data', to => $server, from => $client, held => {to => '', from => ''}};
    $self->{side}{$client} = [$link, 'to'];
    $self->{side}{$server} = [$link, 'from'];
    $self->{select}->add($client, $server);
    return;
}

sub _pass ($self, $socket) {
    my ($link, $direction) = @{ $self->{side}{$socket} };
    if (!sysread $socket, my $bytes, 65536) {
        $self->{select}->remove(@$link{qw(to from)});
        delete @{ $self->{side} }{@$link{qw(to from)}};
        close $_ for @$link{qw(to from)};
        return;
    }
    else {
        $link->{kind} = 'tracking' if $direction eq 'to' && $bytes =~ /SUBSCRIBE/;
        $link->{held}{$direction} .= $bytes;
    }
    $self->_send($link, $direction) if !$self->{hold}{"$direction $link->{kind}"};
    return;
}

sub _send ($self, $link, $direction) {
    syswrite $link->{$direction}, $link->{held}{$direction} if length $link->{held}{$direction};
    $link->{held}{$direction} = '';
    return;
}

sub _links ($self) {
    my %links = map { $_->[0] => $_->[0] } values %{ $self->{side} };
    return values %links;
}

sub _command ($self, $line) {
    my ($word, $direction, $kind) = split ' ', $line;
    my $answer = 'ok';

    $self->{hold}{"$direction $kind"} = 1 if $word eq 'hold';
    if ($word eq 'release') {
        $self->{hold} = {};
        for my $link ($self->_links) { $self->_send($link, $_) for qw(to from) }
    }
    if ($word eq 'held') {
        $answer = 0;
        $answer += length $_ for map { values %{ $_->{held} } } $self->_links;
    }
    print { $self->{control} } "$answer\n";
    return;
}

sub DESTROY ($self) {
    return if !$self->{owner} || $self->{owner} != $$;
    local ($?, $!);
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
    return;
}

1;
