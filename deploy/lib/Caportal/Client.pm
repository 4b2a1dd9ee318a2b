package Caportal::Client;

# One browser's worth of the portal: cookies, Origin, JSON, perhaps a client certificate.

use v5.36;
use Carp qw(croak);
use Mojo::JSON ();
use Mojo::UserAgent;
use Mojo::Util qw(decode);

# Called with the client, the method, the path and the response of every request, where somebody wants to see them all.
our $witness;

# base: URL; ca: trusted for HTTPS; cert and key: of the client, perhaps.
sub new ($class, %given) {
    my $agent = Mojo::UserAgent->new(max_redirects => 0, connect_timeout => 5, request_timeout => 30,
        inactivity_timeout => 30);
    $agent->ca($given{ca})                         if $given{ca};
    $agent->cert($given{cert})->key($given{key})   if $given{cert};
    return bless {%given, agent => $agent}, $class;
}

sub agent ($self) { return $self->{agent} }

# The session's token, or nothing.
sub cookie ($self) {
    my ($cookie) = grep { $_->name eq '__Host-caportal' } @{ $self->{agent}->cookie_jar->all };
    return $cookie && $cookie->value;
}

# Any request. Options: json or body with type; headers {}; key (Idempotency-Key); origin (undef: none).
# Returns the response (Mojo::Message::Response); dies when none came.
sub request ($self, $method, $path, %option) {
    my %headers = (Accept => 'application/json', %{ $option{headers} // {} });
    my $origin = exists $option{origin} ? $option{origin} : $self->{base};

    $headers{Origin}            = $origin      if defined $origin;
    $headers{'Idempotency-Key'} = $option{key} if defined $option{key};
    $headers{'Content-Type'}    = $option{type} // ($option{json} ? 'application/json' : 'application/octet-stream')
        if defined $option{json} || defined $option{body};
    delete @headers{ grep { !defined $headers{$_} } keys %headers };

    my $body = defined $option{json} ? Mojo::JSON::encode_json($option{json}) : $option{body} // '';
    my $tx = $self->{agent}->start($self->{agent}->build_tx($method => "$self->{base}$path", \%headers, $body));

    my $error = $tx->error;
    croak "$method $path: $error->{message}" if $error && !$error->{code};
    $witness->($self, $method, $path, $tx->res) if $witness;
    return $tx->res;
}

sub get ($self, $path, %option)    { return $self->request(GET    => $path, %option) }
sub delete ($self, $path, %option) { return $self->request(DELETE => $path, %option) }

sub post ($self, $path, $json = {}, %option) {
    return $self->request(POST => $path, defined $option{body} ? () : (json => $json), %option);
}

sub patch ($self, $path, $json, %option) { return $self->request(PATCH => $path, json => $json, %option) }

sub put ($self, $path, $body, $type, %option) {
    return $self->request(PUT => $path, body => $body, type => $type, %option);
}

# "422 {…}" of a response, for messages.
sub describe ($class, $response) {
    my $text = decode('UTF-8', $response->body) // $response->body;
    return $response->code . ' ' . (length $text > 600 ? substr($text, 0, 600) . '…' : $text);
}

1;
