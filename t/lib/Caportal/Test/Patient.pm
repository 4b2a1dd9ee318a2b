package Caportal::Test::Patient;

# A client that does not give up: it asks again, with the same Idempotency-Key, until it is answered, and signs in again
# when its session is lost. What it was told of an order, it notes.

use v5.36;
use parent 'Caportal::Client';
use Time::HiRes qw(sleep time);

use constant PATIENCE => 30;

# login: [phone, password], to sign in again; told: a sub of an order's number, its state and its version.
sub request ($self, $method, $path, %option) {
    my $end = time + PATIENCE;

    while (1) {
        my $response = eval { $self->SUPER::request($method, $path, %option) };
        my $status   = $response ? $response->code : 0;

        if ($status == 401 && $self->{login} && $path ne '/api/sessions') {
            $self->_sign_in;
        }
        elsif ($status && $status != 503 && $status != 429) {
            $self->_note($response) if $response->is_success;
            return $response;
        }
        die "$method $path: no answer in ${\ PATIENCE} s: " . ($response ? $self->describe($response) : $@)
            if time > $end;
        $self->{repeated}++;
        sleep 0.05;
    }
}

sub repeated ($self) { return $self->{repeated} // 0 }

sub _sign_in ($self) {
    my ($phone, $password) = @{ $self->{login} };
    my $response = $self->post('/api/sessions', {method => 'password', login => $phone, password => $password});
    die 'signing in again: ' . $self->describe($response) if $response->code != 201;
    return;
}

sub _note ($self, $response) {
    my $json = $self->{told} && ($response->headers->content_type // '') =~ /json/ ? $response->json : undef;
    return if ref $json ne 'HASH';
    for my $order ($json, $json->{order}) {
        $self->{told}->(@$order{qw(no state version)}) if ref $order eq 'HASH' && $order->{no} && $order->{state};
    }
    return;
}

1;
