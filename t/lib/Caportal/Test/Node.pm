package Caportal::Test::Node;

# A second nginx beside a portal's, with the same configuration but for its ports and folders: another node.

use v5.36;
use Caportal::Client;
use Caportal::Files qw(folder read_file write_file);
use Caportal::Owners;
use Caportal::Process;
use Caportal::Raw;
use IO::Socket::IP;

sub start ($class, $portal) {
    my $self = bless {portal => $portal, port => Caportal::Test->shared->port}, $class;
    my ($home, $port) = ($portal->home, $self->{port});
    my ($old) = $portal->addresses->{portal} =~ /:(\d+)\z/;

    folder("$home/node", 0755);
    my $text = read_file("$home/conf/nginx.conf");
    $text =~ s/\b$old\b/$port/g;
    $text =~ s/\b${\($old + 1)}\b/$port + 1/ge;
    $text =~ s{\Q$home\E/run/([\w-]+\.(?:pid|sock))}{$home/node/$1}g;
    $text =~ s{\Q$home\E/log/}{$home/log/node-}g;
    $text =~ s{^(\s*include\s+)egress\.conf;}{$1egress-node.conf;}m;
    write_file("$home/conf/node.conf", $text);
    write_file("$home/conf/egress-node.conf",
        read_file("$home/conf/egress.conf") =~ s{\Q$home\E/run/egress\.sock}{$home/node/egress.sock}gr);

    $self->{process} = Caportal::Process->new(name => 'node', run => "$home/run", log => "$home/log");
    $self->{process}->start([$ENV{CAPORTAL_NGINX} // 'nginx', '-p', "$home/conf", '-c', "$home/conf/node.conf",
        '-e', "$home/log/node-error.log", '-g', 'daemon off;']);
    $self->{process}->wait_until(30, sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) });
    return $self;
}

sub process ($self) { return $self->{process} }

# A connection to it, as Caportal::Test::Edge's raw().
sub raw ($self, $client = undef) {
    return Caportal::Raw->new(port => $self->{port}, ca => $self->{portal}->addresses->{server_ca},
        ($client ? (cookie => $client->cookie) : ()));
}

sub stop ($self) {
    $self->{process}->stop;
    return;
}

sub DESTROY ($self) {
    local ($?, $@, $!);
    $self->stop if $self->{process};
    return;
}

1;
